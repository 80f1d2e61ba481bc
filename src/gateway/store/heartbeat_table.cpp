// The statements on hosts' last heartbeats. They give nobody power, and are not sealed.
#include "gateway/store/host_table.h"

#include <sstream>

namespace zkv::gateway {
namespace {

/// A heartbeat as the database holds it.
struct BeatRow {
  std::string host, address, version, findings;
  long long at = 0;
  long long said_at = 0;
  long long generation = 0;
  long long count = 0;
};

/// They hold no line breaks: protocol::as_finding().
std::string lines_text(const std::vector<std::string>& lines) {
  std::string text;
  for (const auto& line : lines) text += line + "\n";
  return text;
}

LastHeartbeat heartbeat_from(const BeatRow& row) {
  LastHeartbeat heartbeat{row.host,
                          time_of(row.at),
                          time_of(row.said_at),
                          row.address,
                          row.version,
                          static_cast<std::uint64_t>(row.generation),
                          static_cast<std::uint64_t>(row.count)};
  std::istringstream lines(row.findings);
  for (std::string line; std::getline(lines, line);) heartbeat.findings.push_back(line);
  return heartbeat;
}

}  // namespace

Result<> HostTable::put(const LastHeartbeat& heartbeat) {
  const BeatRow row{heartbeat.host,
                    heartbeat.address,
                    heartbeat.version,
                    lines_text(heartbeat.findings),
                    milliseconds_of(heartbeat.at),
                    milliseconds_of(heartbeat.said_at),
                    static_cast<long long>(heartbeat.generation),
                    static_cast<long long>(heartbeat.count)};
  return database_.run("keeping a heartbeat", [&](soci::session& sql) {
    using soci::use;
    sql << "INSERT OR REPLACE INTO zkv_heartbeat (host, at, said_at, address, version, generation, "
           "finding_count, findings) VALUES (:1, :2, :3, :4, :5, :6, :7, :8)",
        use(row.host), use(row.at), use(row.said_at), use(row.address), use(row.version), use(row.generation),
        use(row.count), use(row.findings);
  });
}

Result<std::optional<LastHeartbeat>> HostTable::heartbeat_of(const std::string& host) {
  ZKV_TRY(auto found, select_heartbeats("WHERE host = :1", host));
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

Result<std::vector<LastHeartbeat>> HostTable::heartbeats() {
  return select_heartbeats("ORDER BY host", std::nullopt);
}

Result<std::vector<LastHeartbeat>> HostTable::select_heartbeats(const std::string& rest,
                                                                const std::optional<std::string>& parameter) {
  std::vector<BeatRow> rows;
  ZKV_CHECK(database_.run("reading heartbeats", [&](soci::session& sql) {
    BeatRow row;
    soci::statement statement(sql);
    statement.exchange(soci::into(row.host));
    for (auto* time : {&row.at, &row.said_at}) statement.exchange(soci::into(*time));
    for (auto* text : {&row.address, &row.version}) statement.exchange(soci::into(*text));
    for (auto* number : {&row.generation, &row.count}) statement.exchange(soci::into(*number));
    statement.exchange(soci::into(row.findings));
    if (parameter) statement.exchange(soci::use(*parameter));
    statement.alloc();
    statement.prepare(
        "SELECT host, at, said_at, address, version, generation, finding_count, findings FROM "
        "zkv_heartbeat " +
        rest);
    statement.define_and_bind();
    statement.execute(false);
    while (statement.fetch()) rows.push_back(row);
  }));
  std::vector<LastHeartbeat> heartbeats;
  heartbeats.reserve(rows.size());
  for (const auto& row : rows) heartbeats.push_back(heartbeat_from(row));
  return heartbeats;
}

}  // namespace zkv::gateway
