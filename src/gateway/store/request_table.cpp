// The statements on zkv_request. The update is prepared once: an approval of thousands runs it thousands of
// times.
#include "gateway/store/request_table.h"

#include <fmt/format.h>

#include "gateway/store/seal_writer.h"

namespace zkv::gateway {
namespace {

constexpr const char* kColumns =
    "id, state, address, created_at, expires_at, pin_mac, wrong_pins, token_hash, decided_by, reason, host, "
    "seal";
constexpr const char* kRequestTable = "zkv_request";

Columns columns_of(const RequestRow& row) {
  return {row.id,
          row.state,
          row.address,
          std::to_string(row.created_at),
          std::to_string(row.expires_at),
          row.pin_mac,
          std::to_string(row.wrong_pins),
          row.has_token == soci::i_ok ? row.token_hash : "",
          row.decided_by,
          row.reason,
          row.host};
}

}  // namespace

RequestRow to_row(const Request& request) {
  RequestRow row;
  row.id = request.id.text;
  row.state = to_text(request.state);
  row.address = request.address;
  row.created_at = milliseconds_of(request.created_at);
  row.expires_at = milliseconds_of(request.expires_at);
  row.pin_mac = to_hex(request.pin_mac);
  row.wrong_pins = static_cast<int>(request.wrong_pins);
  if (request.token_hash) {
    row.token_hash = to_hex(*request.token_hash);
    row.has_token = soci::i_ok;
  }
  row.decided_by = request.decided_by;
  row.reason = request.reason;
  row.host = request.host;
  return row;
}

Result<Request> from_row(const RequestRow& row) {
  const auto state = state_from_text(row.state);
  auto pin_mac = from_hex(row.pin_mac);
  auto token_hash = from_hex(row.has_token == soci::i_ok ? row.token_hash : "");
  if (!state || !pin_mac || !token_hash || row.wrong_pins < 0) {
    return Error::corrupt(fmt::format("the database's row of request {} is damaged", row.id))
        .remedy("restore the database from the last backup");
  }
  Request request;
  request.id = {row.id};
  request.state = *state;
  request.address = row.address;
  request.created_at = time_of(row.created_at);
  request.expires_at = time_of(row.expires_at);
  request.pin_mac = std::move(*pin_mac);
  request.wrong_pins = static_cast<unsigned>(row.wrong_pins);
  if (row.has_token == soci::i_ok) request.token_hash = std::move(*token_hash);
  request.decided_by = row.decided_by;
  request.reason = row.reason;
  request.host = row.host;
  return request;
}

Error no_request(const RequestId& id) {
  return Error::not_found(fmt::format("there is no request {}", id.text))
      .remedy("'zkvgateway request list --all' shows the requests there are");
}

RequestRow RequestTable::sealed_row(const Request& request) const {
  auto row = to_row(request);
  row.seal = seal_.of(kRequestTable, columns_of(row));
  return row;
}

Result<> RequestTable::insert(const Request& request) {
  auto row = sealed_row(request);
  return database_.run("inserting a request", [&](soci::session& sql) {
    using soci::use;
    sql << fmt::format(
        "INSERT INTO zkv_request ({}) VALUES (:1, :2, :3, :4, :5, :6, :7, :8, :9, :10, :11, :12)", kColumns),
        use(row.id), use(row.state), use(row.address), use(row.created_at), use(row.expires_at),
        use(row.pin_mac), use(row.wrong_pins), use(row.token_hash, row.has_token), use(row.decided_by),
        use(row.reason), use(row.host), use(row.seal);
  });
}

Result<> RequestTable::update(const Request& next, State from) {
  row_ = sealed_row(next);
  from_ = to_text(from);
  ZKV_TRY(const auto rows, run_update());
  if (rows == 1) return {};
  return Error::conflict(fmt::format("request {} is not {} any more", next.id.text, from_))
      .remedy("somebody else decided it first; 'zkvgateway request show' tells who");
}

Result<long long> RequestTable::run_update() {
  return database_.run("updating a request", [&](soci::session& sql) {
    using soci::use;
    if (!update_) {
      update_.emplace(
          (sql.prepare
               << "UPDATE zkv_request SET state = :state, address = :address, expires_at = :expires_at, "
                  "wrong_pins = :wrong_pins, decided_by = :decided_by, reason = :reason, "
                  "seal = :seal "
                  "WHERE id = :id AND state = :from",
           use(row_.state), use(row_.address), use(row_.expires_at), use(row_.wrong_pins),
           use(row_.decided_by), use(row_.reason), use(row_.seal), use(row_.id), use(from_)));
    }
    update_->execute(true);
    return update_->get_affected_rows();
  });
}

Result<std::vector<RequestRow>> RequestTable::rows(const std::string& rest,
                                                   const std::optional<std::string>& parameter) {
  std::vector<RequestRow> rows;
  ZKV_CHECK(database_.run("reading requests", [&](soci::session& sql) {
    using soci::into;
    RequestRow row;
    soci::statement statement(sql);
    statement.exchange(into(row.id));
    statement.exchange(into(row.state));
    statement.exchange(into(row.address));
    statement.exchange(into(row.created_at));
    statement.exchange(into(row.expires_at));
    statement.exchange(into(row.pin_mac));
    statement.exchange(into(row.wrong_pins));
    statement.exchange(into(row.token_hash, row.has_token));
    statement.exchange(into(row.decided_by));
    statement.exchange(into(row.reason));
    statement.exchange(into(row.host));
    statement.exchange(into(row.seal));
    if (parameter) statement.exchange(soci::use(*parameter));
    statement.alloc();
    statement.prepare(fmt::format("SELECT {} FROM zkv_request {}", kColumns, rest));
    statement.define_and_bind();
    statement.execute(false);
    while (statement.fetch()) rows.push_back(row);
  }));
  return rows;
}

Result<std::vector<Request>> RequestTable::select(const std::string& rest,
                                                  const std::optional<std::string>& parameter) {
  ZKV_TRY(const auto found, rows(rest, parameter));
  std::vector<Request> requests;
  requests.reserve(found.size());
  for (const auto& row : found) {
    ZKV_TRY(auto request, checked(row));
    requests.push_back(std::move(request));
  }
  return requests;
}

Result<RequestList> RequestTable::list(const std::string& rest, const std::optional<std::string>& parameter) {
  ZKV_TRY(const auto found, rows(rest, parameter));
  RequestList list;
  for (const auto& row : found) {
    auto request = checked(row);
    if (request) {
      list.requests.push_back(std::move(*request));
    } else {
      list.damaged.push_back(row.id);
    }
  }
  return list;
}

Result<std::optional<Request>> RequestTable::first_sound(const std::string& rest,
                                                         const std::optional<std::string>& parameter) {
  ZKV_TRY(const auto found, rows(rest, parameter));
  for (const auto& row : found) {
    if (auto request = checked(row)) return std::move(*request);
  }
  return std::nullopt;
}

Result<Request> RequestTable::checked(const RequestRow& row) const {
  ZKV_CHECK(seal_.check(kRequestTable, columns_of(row), row.seal));
  return from_row(row);
}

Result<> RequestTable::adopt() {
  ZKV_TRY(const auto found, rows("", std::nullopt));
  SealsByKey seals;
  for (const auto& row : found) seals.emplace_back(row.id, seal_.of(kRequestTable, columns_of(row)));
  return write_seals(database_, kRequestTable, "id", seals);
}

Result<> RequestTable::discard(const RequestId& id) {
  ZKV_TRY(const auto deleted, database_.run("deleting a request", [&](soci::session& sql) {
    soci::statement statement = (sql.prepare << "DELETE FROM zkv_request WHERE id = :id", soci::use(id.text));
    statement.execute(true);
    return statement.get_affected_rows();
  }));
  return deleted == 1 ? Result<>() : no_request(id);
}

Result<> RequestTable::forget_before(Time before) {
  const auto limit = milliseconds_of(before);
  return database_.run("deleting old requests", [&](soci::session& sql) {
    sql << "DELETE FROM zkv_request WHERE created_at < :before AND state NOT IN ('pending', 'approved')",
        soci::use(limit);
  });
}

}  // namespace zkv::gateway
