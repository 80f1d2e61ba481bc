// The statements on passkeys and on what was decided with them.
#include "gateway/store/people_table.h"
#include "gateway/store/seal_writer.h"

namespace zkv::gateway {
namespace {

constexpr const char* kPasskeyColumns =
    "id, approver, label, public_key, counter, backup_eligible, backed_up, created_at, used_at, ended_at, "
    "ended_why, seal";
constexpr const char* kPasskeyTable = "zkv_passkey";

/// A passkey as the database holds it.
struct PasskeyRow {
  std::string id, approver, label, public_key, ended_why;
  long long counter = 0;
  int backup_eligible = 0;
  int backed_up = 0;
  long long created_at = 0;
  long long used_at = 0;
  long long ended_at = 0;
  std::string seal{};
};

Columns columns_of(const PasskeyRow& row) {
  return {row.id,
          row.approver,
          row.label,
          row.public_key,
          std::to_string(row.counter),
          std::to_string(row.backup_eligible),
          std::to_string(row.backed_up),
          std::to_string(row.created_at),
          std::to_string(row.used_at),
          std::to_string(row.ended_at),
          row.ended_why};
}

PasskeyRow row_of_passkey(const Passkey& passkey) {
  return {to_hex(passkey.id),
          to_hex(passkey.approver),
          passkey.label,
          to_hex(passkey.public_key),
          passkey.ended_why,
          passkey.counter,
          passkey.backup_eligible ? 1 : 0,
          passkey.backed_up ? 1 : 0,
          milliseconds_of(passkey.created_at),
          milliseconds_of(passkey.used_at),
          milliseconds_of(passkey.ended_at)};
}

Result<Passkey> passkey_from(const PasskeyRow& row) {
  Passkey passkey;
  auto id = from_hex(row.id);
  auto public_key = from_hex(row.public_key);
  if (!id || !public_key) {
    return Error::corrupt("the database's row of passkey " + row.id + " is damaged")
        .remedy("restore the database from the last backup");
  }
  passkey.id = std::move(*id);
  ZKV_TRY(passkey.approver, bytes_of_column<sizeof(ApproverId)>(row.approver, "passkey " + row.id));
  passkey.label = row.label;
  passkey.public_key = std::move(*public_key);
  passkey.counter = static_cast<std::uint32_t>(row.counter);
  passkey.backup_eligible = row.backup_eligible != 0;
  passkey.backed_up = row.backed_up != 0;
  passkey.created_at = time_of(row.created_at);
  passkey.used_at = time_of(row.used_at);
  passkey.ended_at = time_of(row.ended_at);
  passkey.ended_why = row.ended_why;
  return passkey;
}

}  // namespace

Result<> PeopleTable::insert(const Passkey& passkey) {
  ZKV_TRY(const auto known, find_passkey(passkey.id));
  if (known) return Error::exists("this passkey is registered already").remedy("make a new one");
  auto row = row_of_passkey(passkey);
  row.seal = seal_.of(kPasskeyTable, columns_of(row));
  return database_.run("inserting a passkey", [&](soci::session& sql) {
    using soci::use;
    sql << "INSERT INTO zkv_passkey (id, approver, label, public_key, ended_why, counter, backup_eligible, "
           "backed_up, created_at, used_at, ended_at, seal) "
           "VALUES (:1, :2, :3, :4, :5, :6, :7, :8, :9, :10, :11, :12)",
        use(row.id), use(row.approver), use(row.label), use(row.public_key), use(row.ended_why),
        use(row.counter), use(row.backup_eligible), use(row.backed_up), use(row.created_at), use(row.used_at),
        use(row.ended_at), use(row.seal);
  });
}

Result<> PeopleTable::update(const Passkey& passkey) {
  auto row = row_of_passkey(passkey);
  row.seal = seal_.of(kPasskeyTable, columns_of(row));
  ZKV_TRY(const auto rows, database_.run("updating a passkey", [&](soci::session& sql) {
    using soci::use;
    soci::statement statement =
        (sql.prepare << "UPDATE zkv_passkey SET label = :1, counter = :2, backed_up = :3, used_at = :4, "
                        "ended_at = :5, ended_why = :6, seal = :7 WHERE id = :8",
         use(row.label), use(row.counter), use(row.backed_up), use(row.used_at), use(row.ended_at),
         use(row.ended_why), use(row.seal), use(row.id));
    statement.execute(true);
    return statement.get_affected_rows();
  }));
  if (rows == 1) return {};
  return Error::not_found("there is no such passkey");
}

Result<std::optional<Passkey>> PeopleTable::find_passkey(const Bytes& id) {
  ZKV_TRY(auto found, select_passkeys("WHERE id = :1", to_hex(id)));
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

Result<std::vector<Passkey>> PeopleTable::passkeys_of(const ApproverId& approver) {
  return select_passkeys("WHERE approver = :1 AND ended_at = 0 ORDER BY created_at, rowid", to_hex(approver));
}

namespace {

Result<std::vector<PasskeyRow>> passkey_rows(Database& database, const std::string& rest,
                                             const std::optional<std::string>& parameter) {
  std::vector<PasskeyRow> rows;
  ZKV_CHECK(database.run("reading passkeys", [&](soci::session& sql) {
    using soci::into;
    PasskeyRow row;
    soci::statement statement(sql);
    for (auto* text : {&row.id, &row.approver, &row.label, &row.public_key}) statement.exchange(into(*text));
    statement.exchange(into(row.counter));
    for (auto* flag : {&row.backup_eligible, &row.backed_up}) statement.exchange(into(*flag));
    for (auto* time : {&row.created_at, &row.used_at, &row.ended_at}) statement.exchange(into(*time));
    statement.exchange(into(row.ended_why));
    statement.exchange(into(row.seal));
    if (parameter) statement.exchange(soci::use(*parameter));
    statement.alloc();
    statement.prepare(std::string("SELECT ") + kPasskeyColumns + " FROM zkv_passkey " + rest);
    statement.define_and_bind();
    statement.execute(false);
    while (statement.fetch()) rows.push_back(row);
  }));
  return rows;
}

}  // namespace

Result<> PeopleTable::adopt_passkeys() {
  ZKV_TRY(const auto rows, passkey_rows(database_, "", std::nullopt));
  SealsByKey seals;
  for (const auto& row : rows) seals.emplace_back(row.id, seal_.of(kPasskeyTable, columns_of(row)));
  return write_seals(database_, kPasskeyTable, "id", seals);
}

Result<std::vector<Passkey>> PeopleTable::select_passkeys(const std::string& rest,
                                                          const std::string& parameter) {
  ZKV_TRY(const auto rows, passkey_rows(database_, rest, parameter));
  std::vector<Passkey> passkeys;
  for (const auto& row : rows) {
    ZKV_CHECK(seal_.check(kPasskeyTable, columns_of(row), row.seal));
    ZKV_TRY(auto passkey, passkey_from(row));
    passkeys.push_back(std::move(passkey));
  }
  return passkeys;
}

Result<> PeopleTable::insert(const Approval& approval) {
  return database_.run("inserting an approval", [&](soci::session& sql) {
    using soci::use;
    const auto approver = to_hex(approval.approver);
    const auto passkey = to_hex(approval.passkey);
    const auto at = milliseconds_of(approval.at);
    const auto hash = to_hex(approval.evidence_hash);
    sql << "INSERT INTO zkv_approval (request, approver, passkey, decision, at, evidence_hash, evidence) "
           "VALUES (:1, :2, :3, :4, :5, :6, :7)",
        use(approval.request.text), use(approver), use(passkey), use(approval.decision), use(at), use(hash),
        use(approval.evidence);
  });
}

Result<std::vector<crypto::Sha256>> PeopleTable::approvals_of(const RequestId& request) {
  std::vector<std::string> texts;
  ZKV_CHECK(database_.run("reading approvals", [&](soci::session& sql) {
    std::string hash;
    soci::statement statement = (sql.prepare << "SELECT evidence_hash FROM zkv_approval WHERE request = :1 "
                                                "AND decision = 'approve' ORDER BY at, rowid",
                                 soci::use(request.text), soci::into(hash));
    statement.execute(false);
    while (statement.fetch()) texts.push_back(hash);
  }));
  std::vector<crypto::Sha256> hashes;
  for (const auto& text : texts) {
    ZKV_TRY(const auto hash, bytes_of_column<sizeof(crypto::Sha256)>(text, "an approval"));
    hashes.push_back(hash);
  }
  return hashes;
}

}  // namespace zkv::gateway
