// The statements on what hosts sent and were sent.
#include <fmt/format.h>

#include "gateway/store/host_table.h"

namespace zkv::gateway {

Result<> HostTable::insert_ask(const RequestId& request, const HostAsk& ask) {
  return database_.run("inserting a signed request", [&](soci::session& sql) {
    using soci::use;
    const int is_first = ask.is_first_from_address ? 1 : 0;
    const int is_new = ask.is_new_kernel ? 1 : 0;
    const auto last_release = milliseconds_of(ask.last_release);
    const int replaces = ask.replaces_other_boot ? 1 : 0;
    sql << "INSERT INTO zkv_ask (request, envelope, is_first_from_address, is_new_kernel, last_release, "
           "replaces_other_boot) VALUES (:1, :2, :3, :4, :5, :6)",
        use(request.text), use(ask.envelope), use(is_first), use(is_new), use(last_release), use(replaces);
  });
}

Result<HostAsk> HostTable::ask_of(const RequestId& request) {
  HostAsk ask;
  ZKV_TRY(const bool found, database_.run("reading a signed request", [&](soci::session& sql) {
    using soci::into;
    int is_first = 0;
    int is_new = 0;
    int replaces = 0;
    long long last_release = 0;
    sql << "SELECT envelope, is_first_from_address, is_new_kernel, last_release, replaces_other_boot "
           "FROM zkv_ask WHERE request = :1",
        soci::use(request.text), into(ask.envelope), into(is_first), into(is_new), into(last_release),
        into(replaces);
    ask.replaces_other_boot = replaces != 0;
    ask.is_first_from_address = is_first != 0;
    ask.is_new_kernel = is_new != 0;
    ask.last_release = time_of(last_release);
    return sql.got_data();
  }));
  if (found) return ask;
  return Error::not_found(fmt::format("request {} is not one that a host signed", request.text));
}

Result<> HostTable::insert_release(const RequestId& request, const std::string& envelope) {
  return database_.run("inserting a release", [&](soci::session& sql) {
    sql << "INSERT INTO zkv_release (request, envelope) VALUES (:1, :2)", soci::use(request.text),
        soci::use(envelope);
  });
}

Result<std::optional<std::string>> HostTable::release_of(const RequestId& request) {
  return database_.run("reading a release", [&](soci::session& sql) {
    std::string envelope;
    sql << "SELECT envelope FROM zkv_release WHERE request = :1", soci::use(request.text),
        soci::into(envelope);
    return sql.got_data() ? std::optional(envelope) : std::nullopt;
  });
}

Result<> HostTable::end_releases_of(const std::string& host) {
  return database_.run("ending a host's releases", [&](soci::session& sql) {
    sql << "DELETE FROM zkv_release WHERE request IN (SELECT id FROM zkv_request WHERE host = :1)",
        soci::use(host);
  });
}

Result<bool> HostTable::knows_address(const std::string& host, const std::string& address) {
  return database_.run("looking up an address", [&](soci::session& sql) {
    int count = 0;
    sql << "SELECT COUNT(*) FROM zkv_host_address WHERE host = :1 AND address = :2", soci::use(host),
        soci::use(address), soci::into(count);
    return count > 0;
  });
}

Result<> HostTable::remember_address(const std::string& host, const std::string& address) {
  return database_.run("remembering an address", [&](soci::session& sql) {
    sql << "INSERT INTO zkv_host_address (host, address) VALUES (:1, :2) ON CONFLICT DO NOTHING",
        soci::use(host), soci::use(address);
  });
}

}  // namespace zkv::gateway
