// The statements on invites.
#include <fmt/format.h>

#include "gateway/store/host_table.h"

namespace zkv::gateway {
namespace {

constexpr const char* kHostKind = "host";
constexpr const char* kApproverKind = "approver";
constexpr const char* kInviteTable = "zkv_invite";

std::string kind_of(const Invite& invite) {
  return invite.kind == Invite::Kind::kHost ? kHostKind : kApproverKind;
}

Columns columns_of(const Invite& invite) {
  return {to_hex(invite.hash),
          kind_of(invite),
          invite.name,
          invite.group,
          std::to_string(milliseconds_of(invite.created_at)),
          std::to_string(milliseconds_of(invite.expires_at)),
          invite.used_by};
}

struct InviteRow {
  std::string hash;
  std::string kind;
  std::string name;
  std::string group;
  long long created_at = 0;
  long long expires_at = 0;
  std::string used_by;
  std::string seal;
};

Result<Invite> invite_of(const InviteRow& row) {
  const auto hash = from_hex(row.hash);
  if (!hash) return Error::corrupt("an invite is damaged in the database");
  Invite invite;
  invite.hash = *hash;
  invite.kind = row.kind == kHostKind ? Invite::Kind::kHost : Invite::Kind::kApprover;
  invite.name = row.name;
  invite.group = row.group;
  invite.created_at = time_of(row.created_at);
  invite.expires_at = time_of(row.expires_at);
  invite.used_by = row.used_by;
  return invite;
}

}  // namespace

Result<> HostTable::insert(const Invite& invite) {
  const auto seal = seal_.of(kInviteTable, columns_of(invite));
  return database_.run("inserting an invite", [&](soci::session& sql) {
    using soci::use;
    const auto hash = to_hex(invite.hash);
    const auto kind = kind_of(invite);
    const auto created_at = milliseconds_of(invite.created_at);
    const auto expires_at = milliseconds_of(invite.expires_at);
    sql << "INSERT INTO zkv_invite (hash, kind, name, group_name, created_at, expires_at, used_by, seal) "
           "VALUES (:1, :2, :3, :4, :5, :6, :7, :8)",
        use(hash), use(kind), use(invite.name), use(invite.group), use(created_at), use(expires_at),
        use(invite.used_by), use(seal);
  });
}

Result<std::optional<Invite>> HostTable::find_invite(const Bytes& hash) {
  ZKV_TRY(auto found, read_invites("WHERE hash = :1", to_hex(hash)));
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

Result<std::vector<Invite>> HostTable::open_invites(Time at) {
  return read_invites("WHERE used_by = '' AND expires_at > CAST(:1 AS INTEGER) ORDER BY created_at, hash",
                      std::to_string(milliseconds_of(at)));
}

Result<std::vector<Invite>> HostTable::read_invites(const std::string& rest, const std::string& parameter) {
  std::vector<InviteRow> rows;
  ZKV_CHECK(database_.run("reading invites", [&](soci::session& sql) {
    using soci::into;
    InviteRow row;
    soci::statement statement =
        (sql.prepare << "SELECT hash, kind, name, group_name, created_at, expires_at, used_by, seal FROM "
                        "zkv_invite " +
                            rest,
         soci::use(parameter), into(row.hash), into(row.kind), into(row.name), into(row.group),
         into(row.created_at), into(row.expires_at), into(row.used_by), into(row.seal));
    statement.execute(false);
    while (statement.fetch()) rows.push_back(row);
  }));
  std::vector<Invite> invites;
  for (const auto& row : rows) {
    ZKV_TRY(auto invite, invite_of(row));
    ZKV_CHECK(seal_.check(kInviteTable, columns_of(invite), row.seal));
    invites.push_back(std::move(invite));
  }
  return invites;
}

Result<> HostTable::use_invite(const Bytes& hash, const std::string& by) {
  ZKV_TRY(auto invite, find_invite(hash));
  if (!invite) return Error::not_found("there is no such invite");
  invite->used_by = by;
  const auto seal = seal_.of(kInviteTable, columns_of(*invite));
  ZKV_TRY(const auto rows, database_.run("using an invite", [&](soci::session& sql) {
    const auto text = to_hex(hash);
    soci::statement statement =
        (sql.prepare << "UPDATE zkv_invite SET used_by = :1, seal = :2 WHERE hash = :3 AND used_by = ''",
         soci::use(by), soci::use(seal), soci::use(text));
    statement.execute(true);
    return statement.get_affected_rows();
  }));
  if (rows == 1) return {};
  return Error::conflict("this invite was used before").remedy("ask for a new one");
}

}  // namespace zkv::gateway
