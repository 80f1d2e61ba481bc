// The statements on hosts.
#include "gateway/store/host_table.h"

#include <fmt/format.h>

#include <algorithm>

#include "gateway/store/seal_writer.h"

namespace zkv::gateway {
namespace {

constexpr const char* kHostColumns =
    "id, name, group_name, identity, repository, enrolled_at, asked_at, seen_at, address, boot, kernel, "
    "released_at, revoked_at, destroyed_at, seal";
constexpr const char* kHostTable = "zkv_host";

/// A host as the database holds it.
struct HostRow {
  std::string id, name, group, identity, repository, address, boot, kernel, seal;
  long long enrolled_at = 0;
  long long asked_at = 0;
  long long seen_at = 0;
  long long released_at = 0;
  long long revoked_at = 0;
  long long destroyed_at = 0;
};

HostRow row_of(const Host& host) {
  HostRow row;
  row.id = host.id;
  row.name = host.name;
  row.group = host.group;
  row.identity = to_hex(protocol::public_bytes(host.identity));
  row.repository = host.repository;
  row.address = host.address;
  row.boot = host.boot;
  row.kernel = host.kernel;
  row.enrolled_at = milliseconds_of(host.enrolled_at);
  row.asked_at = milliseconds_of(host.asked_at);
  row.seen_at = milliseconds_of(host.seen_at);
  row.released_at = milliseconds_of(host.released_at);
  row.revoked_at = milliseconds_of(host.revoked_at);
  row.destroyed_at = milliseconds_of(host.destroyed_at);
  return row;
}

Columns columns_of(const HostRow& row) {
  return {row.id,
          row.name,
          row.group,
          row.identity,
          row.repository,
          std::to_string(row.enrolled_at),
          std::to_string(row.asked_at),
          std::to_string(row.seen_at),
          row.address,
          row.boot,
          row.kernel,
          std::to_string(row.released_at),
          std::to_string(row.revoked_at),
          std::to_string(row.destroyed_at)};
}

HostRow sealed_row(const Host& host, const RowSeal& seal) {
  auto row = row_of(host);
  row.seal = seal.of(kHostTable, columns_of(row));
  return row;
}

Result<Host> host_from(const HostRow& row) {
  Host host;
  const auto bytes = from_hex(row.identity);
  const auto identity = protocol::identity_from(bytes.value_or(Bytes()));
  if (!identity) {
    return Error::corrupt(fmt::format("the database's row of host {} is damaged", row.name))
        .remedy("restore the database from the last backup, or enrol the host again");
  }
  host.identity = *identity;
  host.id = row.id;
  host.name = row.name;
  host.group = row.group;
  host.repository = row.repository;
  host.address = row.address;
  host.boot = row.boot;
  host.kernel = row.kernel;
  host.enrolled_at = time_of(row.enrolled_at);
  host.asked_at = time_of(row.asked_at);
  host.seen_at = time_of(row.seen_at);
  host.released_at = time_of(row.released_at);
  host.revoked_at = time_of(row.revoked_at);
  host.destroyed_at = time_of(row.destroyed_at);
  return host;
}

Error no_such_host(const std::string& name) {
  return Error::not_found(fmt::format("there is no host '{}'", name))
      .remedy("'zkvgateway host list' shows the hosts there are");
}

}  // namespace

Result<> HostTable::check_name_is_free(const Host& host) {
  if (host.is_revoked()) return {};
  ZKV_TRY(const auto others, select("WHERE name = :1 AND revoked_at = 0 AND id <> :2", {host.name, host.id}));
  if (others.empty()) return {};
  return Error::exists(fmt::format("there is a host '{}' already", host.name))
      .remedy("give it another name, or revoke the other first: zkvgateway host revoke " + host.name);
}

Result<> HostTable::insert(const Host& host) {
  ZKV_CHECK(check_name_is_free(host));
  const auto row = sealed_row(host, seal_);
  return database_.run("inserting a host", [&](soci::session& sql) {
    using soci::use;
    sql << fmt::format(
        "INSERT INTO zkv_host ({}) VALUES (:1, :2, :3, :4, :5, :6, :7, :8, :9, :10, :11, :12, "
        ":13, :14, :15)",
        kHostColumns),
        use(row.id), use(row.name), use(row.group), use(row.identity), use(row.repository),
        use(row.enrolled_at), use(row.asked_at), use(row.seen_at), use(row.address), use(row.boot),
        use(row.kernel), use(row.released_at), use(row.revoked_at), use(row.destroyed_at), use(row.seal);
  });
}

Result<> HostTable::update(const Host& host) {
  ZKV_CHECK(check_name_is_free(host));
  const auto row = sealed_row(host, seal_);
  ZKV_TRY(const auto rows, database_.run("updating a host", [&](soci::session& sql) {
    using soci::use;
    soci::statement statement =
        (sql.prepare << "UPDATE zkv_host SET name = :1, group_name = :2, asked_at = :3, seen_at = :4, "
                        "address = :5, boot = :6, kernel = :7, released_at = :8, revoked_at = :9, "
                        "destroyed_at = :10, seal = :11 WHERE id = :12",
         use(row.name), use(row.group), use(row.asked_at), use(row.seen_at), use(row.address), use(row.boot),
         use(row.kernel), use(row.released_at), use(row.revoked_at), use(row.destroyed_at), use(row.seal),
         use(row.id));
    statement.execute(true);
    return statement.get_affected_rows();
  }));
  if (rows == 0) return no_such_host(host.name);
  return {};
}

Result<std::optional<Host>> HostTable::find_host(const std::string& id) {
  ZKV_TRY(auto found, select("WHERE id = :1", {id}));
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

Result<Host> HostTable::host_called(const std::string& name_or_id) {
  ZKV_TRY(auto found, select("WHERE id = :1 OR (name = :2 AND revoked_at = 0)", {name_or_id, name_or_id}));
  if (found.empty()) return no_such_host(name_or_id);
  return std::move(found.front());
}

Result<std::vector<Host>> HostTable::all_hosts() { return select("ORDER BY revoked_at <> 0, name", {}); }

Result<RequestList> HostTable::open_requests_of(const std::string& host) {
  return requests_.list("WHERE host = :1 AND state IN ('pending', 'approved') ORDER BY created_at, rowid",
                        host);
}

namespace {

Result<std::vector<HostRow>> host_rows(Database& database, const std::string& rest,
                                       const std::vector<std::string>& parameters) {
  std::vector<HostRow> rows;
  ZKV_CHECK(database.run("reading hosts", [&](soci::session& sql) {
    HostRow row;
    soci::statement statement(sql);
    for (auto* text : {&row.id, &row.name, &row.group, &row.identity, &row.repository}) {
      statement.exchange(soci::into(*text));
    }
    for (auto* time : {&row.enrolled_at, &row.asked_at, &row.seen_at}) statement.exchange(soci::into(*time));
    for (auto* text : {&row.address, &row.boot, &row.kernel}) statement.exchange(soci::into(*text));
    for (auto* time : {&row.released_at, &row.revoked_at, &row.destroyed_at}) {
      statement.exchange(soci::into(*time));
    }
    statement.exchange(soci::into(row.seal));
    for (const auto& parameter : parameters) statement.exchange(soci::use(parameter));
    statement.alloc();
    statement.prepare(fmt::format("SELECT {} FROM zkv_host {}", kHostColumns, rest));
    statement.define_and_bind();
    statement.execute(false);
    while (statement.fetch()) rows.push_back(row);
  }));
  return rows;
}

}  // namespace

Result<std::vector<Host>> HostTable::select(const std::string& rest,
                                            const std::vector<std::string>& parameters) {
  ZKV_TRY(const auto rows, host_rows(database_, rest, parameters));
  std::vector<Host> hosts;
  for (const auto& row : rows) {
    ZKV_CHECK(seal_.check(kHostTable, columns_of(row), row.seal));
    ZKV_TRY(auto host, host_from(row));
    hosts.push_back(std::move(host));
  }
  return hosts;
}

Result<> HostTable::adopt() {
  ZKV_TRY(const auto rows, host_rows(database_, "", {}));
  SealsByKey seals;
  for (const auto& row : rows) seals.emplace_back(row.id, seal_.of(kHostTable, columns_of(row)));
  ZKV_CHECK(write_seals(database_, kHostTable, "id", seals));
  ZKV_CHECK(database_.execute("DELETE FROM zkv_boot_approval"));
  ZKV_CHECK(database_.execute("DELETE FROM zkv_succession"));
  return database_.execute("DELETE FROM zkv_invite");
}

}  // namespace zkv::gateway
