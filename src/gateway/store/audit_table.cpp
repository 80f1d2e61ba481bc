// The statements on zkv_audit.
#include "gateway/store/audit_table.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"

namespace zkv::gateway {
namespace {

Result<crypto::Sha256> hash_from(const std::string& hex, long long number) {
  const auto bytes = from_hex(hex);
  crypto::Sha256 hash{};
  if (!bytes || bytes->size() != hash.size()) {
    return Error::corrupt(fmt::format("audit row {} holds no hash", number))
        .remedy("the log was changed outside the gateway; compare it with a backup");
  }
  std::ranges::copy(*bytes, hash.begin());
  return hash;
}

}  // namespace

Result<std::optional<audit::Row>> AuditTable::head() {
  ZKV_TRY(const auto last, select("ORDER BY number DESC LIMIT 1"));
  if (last.empty()) return std::nullopt;
  ZKV_TRY(auto row, row_from(last.front()));
  return row;
}

Result<> AuditTable::append(const audit::Event& event) {
  ZKV_TRY(const auto last, head());
  audit::Row row{.number = 1, .event = event, .previous = {}, .hash = {}};
  if (last) {
    row.number = last->number + 1;
    row.previous = last->hash;
  }
  row.hash = audit::hash_of(row);
  return insert(row);
}

Result<> AuditTable::insert(const audit::Row& row) {
  text_ = {static_cast<long long>(row.number),
           milliseconds_of(row.event.at),
           row.event.kind,
           row.event.request,
           row.event.actor,
           row.event.detail,
           to_hex(row.previous),
           to_hex(row.hash)};
  return database_.run("writing the audit log", [&](soci::session& sql) {
    using soci::use;
    if (!insert_) {
      insert_.emplace(
          (sql.prepare << "INSERT INTO zkv_audit (number, at, kind, request, actor, detail, previous, hash) "
                          "VALUES (:1, :2, :3, :4, :5, :6, :7, :8)",
           use(text_.number), use(text_.at), use(text_.kind), use(text_.request), use(text_.actor),
           use(text_.detail), use(text_.previous), use(text_.hash)));
    }
    insert_->execute(true);
  });
}

Result<std::vector<audit::Row>> AuditTable::rows(std::uint64_t first, std::size_t limit) {
  ZKV_TRY(const auto texts, select(fmt::format("WHERE number >= {} ORDER BY number LIMIT {}", first, limit)));
  std::vector<audit::Row> rows;
  rows.reserve(texts.size());
  for (const auto& text : texts) {
    ZKV_TRY(auto row, row_from(text));
    rows.push_back(std::move(row));
  }
  return rows;
}

Result<std::map<std::string, std::string>> AuditTable::logged_asks() {
  return database_.run("reading which asks are in the audit log", [](soci::session& sql) {
    std::map<std::string, std::string> asks;
    std::string id;
    std::string address;
    soci::statement statement =
        (sql.prepare
             << "SELECT request, actor FROM zkv_audit WHERE kind IN ('request.ask', 'request.address') "
                "AND request IN (SELECT id FROM zkv_request "
                "WHERE state IN ('pending', 'approved') AND host = '') ORDER BY number",
         soci::into(id), soci::into(address));
    statement.execute(false);
    while (statement.fetch()) asks.insert_or_assign(id, address);
    return asks;
  });
}

Result<audit::Row> AuditTable::row_from(const Text& text) {
  audit::Row row;
  row.number = static_cast<std::uint64_t>(text.number);
  row.event = {time_of(text.at), text.kind, text.request, text.actor, text.detail};
  ZKV_TRY(row.previous, hash_from(text.previous, text.number));
  ZKV_TRY(row.hash, hash_from(text.hash, text.number));
  return row;
}

Result<std::vector<AuditTable::Text>> AuditTable::select(const std::string& rest) {
  return database_.run("reading the audit log", [&](soci::session& sql) {
    using soci::into;
    std::vector<Text> texts;
    Text text;
    soci::statement statement =
        (sql.prepare << "SELECT number, at, kind, request, actor, detail, previous, hash FROM zkv_audit " +
                            rest,
         into(text.number), into(text.at), into(text.kind), into(text.request), into(text.actor),
         into(text.detail), into(text.previous), into(text.hash));
    statement.execute(false);
    while (statement.fetch()) texts.push_back(text);
    return texts;
  });
}

}  // namespace zkv::gateway
