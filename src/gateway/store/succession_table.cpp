// The statements on invites that hosts' requests made.
#include "gateway/store/host_table.h"

namespace zkv::gateway {
namespace {

constexpr const char* kSuccessionTable = "zkv_succession";

}  // namespace

Result<> HostTable::insert(const Succession& succession) {
  const auto invite = to_hex(succession.invite);
  const auto seal = seal_.of(kSuccessionTable, {invite, succession.predecessor});
  return database_.run("inserting a succession", [&](soci::session& sql) {
    using soci::use;
    sql << "INSERT INTO zkv_succession (invite, predecessor, seal) VALUES (:1, :2, :3)", use(invite),
        use(succession.predecessor), use(seal);
  });
}

Result<std::vector<Invite>> HostTable::successions_of(const std::string& predecessor) {
  std::vector<std::pair<std::string, std::string>> rows;
  ZKV_CHECK(database_.run("reading successions", [&](soci::session& sql) {
    std::string invite;
    std::string seal;
    soci::statement statement =
        (sql.prepare << "SELECT invite, seal FROM zkv_succession WHERE predecessor = :1",
         soci::use(predecessor), soci::into(invite), soci::into(seal));
    statement.execute(false);
    while (statement.fetch()) rows.emplace_back(invite, seal);
  }));
  std::vector<Invite> invites;
  for (const auto& [hash, seal] : rows) {
    ZKV_CHECK(seal_.check(kSuccessionTable, {hash, predecessor}, seal));
    ZKV_TRY(auto found, read_invites("WHERE hash = :1", hash));
    for (auto& invite : found) invites.push_back(std::move(invite));
  }
  return invites;
}

Result<> HostTable::share_addresses(const std::string& from, const std::string& to) {
  return database_.run("handing on addresses", [&](soci::session& sql) {
    using soci::use;
    sql << "INSERT INTO zkv_host_address (host, address) SELECT :1, address FROM zkv_host_address "
           "WHERE host = :2 ON CONFLICT DO NOTHING",
        use(to), use(from);
  });
}

}  // namespace zkv::gateway
