// The statements on recovery codes.
#include "gateway/store/people_table.h"

namespace zkv::gateway {
namespace {

constexpr const char* kRecoveryTable = "zkv_recovery_code";

/// A recovery code as the database holds it.
struct RecoveryRow {
  std::string hash, approver, seal;
  long long made_at = 0;
};

RecoveryRow row_of(const RecoveryCode& code) {
  return {to_hex(code.hash), to_hex(code.approver), "", milliseconds_of(code.made_at)};
}

Columns columns_of(const RecoveryRow& row) { return {row.hash, row.approver, std::to_string(row.made_at)}; }

Result<RecoveryCode> recovery_code_from(const RecoveryRow& row) {
  RecoveryCode code;
  ZKV_TRY(code.hash, bytes_of_column<sizeof(crypto::Sha256)>(row.hash, "a recovery code"));
  ZKV_TRY(code.approver, bytes_of_column<sizeof(ApproverId)>(row.approver, "a recovery code"));
  code.made_at = time_of(row.made_at);
  return code;
}

}  // namespace

Result<> PeopleTable::insert(const RecoveryCode& code) {
  auto row = row_of(code);
  row.seal = seal_.of(kRecoveryTable, columns_of(row));
  return database_.run("inserting a recovery code", [&](soci::session& sql) {
    using soci::use;
    sql << "INSERT INTO zkv_recovery_code (hash, approver, made_at, seal) VALUES (:1, :2, :3, :4)",
        use(row.hash), use(row.approver), use(row.made_at), use(row.seal);
  });
}

Result<std::optional<RecoveryCode>> PeopleTable::find_recovery_code(const crypto::Sha256& hash) {
  ZKV_TRY(auto found, select_recovery_codes("WHERE hash = :1", to_hex(hash)));
  if (found.empty()) return std::nullopt;
  return found.front();
}

Result<std::vector<RecoveryCode>> PeopleTable::recovery_codes_of(const ApproverId& approver) {
  return select_recovery_codes("WHERE approver = :1 ORDER BY rowid", to_hex(approver));
}

Result<> PeopleTable::end_recovery_code(const crypto::Sha256& hash) {
  ZKV_TRY(const auto rows, database_.run("using a recovery code", [&](soci::session& sql) {
    const auto text = to_hex(hash);
    soci::statement statement =
        (sql.prepare << "DELETE FROM zkv_recovery_code WHERE hash = :1", soci::use(text));
    statement.execute(true);
    return statement.get_affected_rows();
  }));
  if (rows == 1) return {};
  return Error::conflict("this recovery code was used before").remedy("use another one");
}

Result<> PeopleTable::end_recovery_codes_of(const ApproverId& approver) {
  return database_.run("ending recovery codes", [&](soci::session& sql) {
    const auto text = to_hex(approver);
    sql << "DELETE FROM zkv_recovery_code WHERE approver = :1", soci::use(text);
  });
}

Result<std::vector<RecoveryCode>> PeopleTable::select_recovery_codes(const std::string& rest,
                                                                     const std::string& parameter) {
  std::vector<RecoveryRow> rows;
  ZKV_CHECK(database_.run("reading recovery codes", [&](soci::session& sql) {
    RecoveryRow row;
    soci::statement statement(sql);
    for (auto* text : {&row.hash, &row.approver}) statement.exchange(soci::into(*text));
    statement.exchange(soci::into(row.made_at));
    statement.exchange(soci::into(row.seal));
    statement.exchange(soci::use(parameter));
    statement.alloc();
    statement.prepare("SELECT hash, approver, made_at, seal FROM zkv_recovery_code " + rest);
    statement.define_and_bind();
    statement.execute(false);
    while (statement.fetch()) rows.push_back(row);
  }));
  std::vector<RecoveryCode> codes;
  for (const auto& row : rows) {
    ZKV_CHECK(seal_.check(kRecoveryTable, columns_of(row), row.seal));
    ZKV_TRY(const auto code, recovery_code_from(row));
    codes.push_back(code);
  }
  return codes;
}

}  // namespace zkv::gateway
