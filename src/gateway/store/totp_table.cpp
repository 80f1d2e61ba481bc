// One row for each person; its secret by an AEAD bound to whose it is, the row by the seal of all rows.
#include "gateway/store/totp_table.h"

#include <fmt/format.h>

#include <algorithm>

#include "crypto/aead.h"
#include "crypto/kdf.h"
#include "gateway/store/people_table.h"

namespace zkv::gateway {
namespace {

constexpr const char* kTotpTable = "zkv_totp";
constexpr std::string_view kKeyInfo = "zkv totp secret 1";

Bytes owner_bytes(const std::string& approver) {
  const auto bound = bytes_of(approver);
  Bytes owner(kKeyInfo.begin(), kKeyInfo.end());
  owner.push_back(0);
  owner.insert(owner.end(), bound.begin(), bound.end());
  return owner;
}

Error older_row(const Approver& approver) {
  return Error::corrupt(fmt::format("the row of {}'s codes was not written by this gateway last: the audit "
                                    "log knows a newer one",
                                    approver.name))
      .remedy(
          "somebody changed the database: look at 'zkvgateway audit verify'; docs/operations.md, \"A changed "
          "database\", says what else there is");
}

}  // namespace

TotpTable::TotpTable(Database& database, RowSeal seal, const SecretBytes* key)
    : database_(database), seal_(std::move(seal)) {
  if (key != nullptr) key_ = crypto::hkdf_sha256(key->span(), {}, kKeyInfo, crypto::kAeadKeySize);
}

Result<> TotpTable::need_key() const {
  if (!key_.empty()) return {};
  return Error::internal("codes cannot be read without the key that seals the database's rows");
}

Columns TotpTable::columns_of(const Row& row) {
  return {row.approver,
          row.sealed,
          std::to_string(row.made_at),
          std::to_string(row.begun_at),
          std::to_string(row.last_step),
          std::to_string(row.wrong),
          std::to_string(row.locked_until),
          std::to_string(row.logged)};
}

TotpTable::Row TotpTable::row_of(const Totp& totp, std::string sealed) const {
  Row row;
  row.approver = to_hex(totp.approver);
  row.sealed = std::move(sealed);
  row.made_at = milliseconds_of(totp.made_at);
  row.begun_at = milliseconds_of(totp.begun_at);
  row.last_step = totp.tries.last_step;
  row.wrong = static_cast<int>(totp.tries.wrong);
  row.locked_until = milliseconds_of(totp.tries.locked_until);
  row.logged = static_cast<long long>(totp.logged);
  row.seal = seal_.of(kTotpTable, columns_of(row));
  return row;
}

std::string TotpTable::encrypted(const Totp& totp) const {
  const auto nonce = crypto::random_nonce();
  const auto owner = owner_bytes(to_hex(totp.approver));
  return to_hex(nonce) + to_hex(crypto::seal(key_.span(), nonce, owner, totp.secret.span()));
}

Result<SecretBytes> TotpTable::decrypted(const Row& row) const {
  const auto sealed = from_hex(row.sealed);
  crypto::AeadNonce nonce{};
  if (!sealed || sealed->size() < nonce.size())
    return Error::corrupt("the database's row of codes is damaged");
  std::copy_n(sealed->begin(), nonce.size(), nonce.begin());
  return crypto::open(key_.span(), nonce, owner_bytes(row.approver),
                      std::span(*sealed).subspan(nonce.size()));
}

Result<> TotpTable::put(const Totp& totp) {
  ZKV_CHECK(need_key());
  ZKV_CHECK(remove(totp.approver));
  const auto row = row_of(totp, encrypted(totp));
  return database_.run("keeping codes", [&](soci::session& sql) {
    using soci::use;
    sql << "INSERT INTO zkv_totp (approver, sealed, made_at, begun_at, last_step, wrong, locked_until, "
           "logged, "
           "seal) VALUES (:1, :2, :3, :4, :5, :6, :7, :8, :9)",
        use(row.approver), use(row.sealed), use(row.made_at), use(row.begun_at), use(row.last_step),
        use(row.wrong), use(row.locked_until), use(row.logged), use(row.seal);
  });
}

/// The condition is what makes a code serve once, with several gateways over one database too.
Result<> TotpTable::update(const Totp& totp) {
  ZKV_CHECK(need_key());
  ZKV_TRY(const auto read_now, read(totp.approver));
  if (!read_now) return Error::not_found("there are no codes any more");
  const auto row = row_of(totp, read_now->sealed);
  ZKV_TRY(const auto rows, database_.run("using a code", [&](soci::session& sql) {
    using soci::use;
    soci::statement statement =
        (sql.prepare << "UPDATE zkv_totp SET begun_at = :1, last_step = :2, wrong = :3, locked_until = :4, "
                        "logged = :5, seal = :6 WHERE approver = :7 AND seal = :8",
         use(row.begun_at), use(row.last_step), use(row.wrong), use(row.locked_until), use(row.logged),
         use(row.seal), use(row.approver), use(totp.seal));
    statement.execute(true);
    return statement.get_affected_rows();
  }));
  if (rows == 1) return {};
  return Error::conflict("another code was given at the same time").remedy("try again with a new code");
}

Result<std::optional<TotpTable::Row>> TotpTable::read(const ApproverId& approver) {
  Row row;
  row.approver = to_hex(approver);
  ZKV_TRY(const bool found, database_.run("reading codes", [&](soci::session& sql) {
    using soci::into;
    sql << "SELECT sealed, made_at, begun_at, last_step, wrong, locked_until, logged, seal FROM zkv_totp "
           "WHERE approver = :1",
        soci::use(row.approver), into(row.sealed), into(row.made_at), into(row.begun_at), into(row.last_step),
        into(row.wrong), into(row.locked_until), into(row.logged), into(row.seal);
    return sql.got_data();
  }));
  if (!found) return std::nullopt;
  return row;
}

Result<std::optional<Totp>> TotpTable::find(const Approver& approver) {
  ZKV_CHECK(need_key());
  ZKV_TRY(const auto row, read(approver.id));
  if (!row) return std::nullopt;
  ZKV_CHECK(seal_.check(kTotpTable, columns_of(*row), row->seal));
  ZKV_TRY(const auto newest, newest_logged(approver));
  if (newest > row->logged) return older_row(approver);
  Totp totp;
  totp.approver = approver.id;
  ZKV_TRY(totp.secret, decrypted(*row));
  totp.made_at = time_of(row->made_at);
  totp.begun_at = time_of(row->begun_at);
  totp.tries = {row->last_step, static_cast<unsigned>(row->wrong), time_of(row->locked_until)};
  totp.logged = static_cast<std::uint64_t>(row->logged);
  totp.seal = row->seal;
  return totp;
}

/// What the seal does not tell: that this row is one which was written earlier. The kinds are those of the
/// index.
Result<long long> TotpTable::newest_logged(const Approver& approver) {
  return database_.run("looking codes up in the audit log", [&](soci::session& sql) {
    const auto by_passkey = "approver:" + approver.name;
    const auto by_code = "totp:" + approver.name;
    long long newest = 0;
    sql << "SELECT COALESCE(MAX(number), 0) FROM zkv_audit WHERE kind IN ('totp.set', 'totp.begin', "
           "'totp.sign-in', 'totp.decide', 'totp.wrong', 'totp.lock', 'totp.remove') AND actor IN (:1, :2)",
        soci::use(by_passkey), soci::use(by_code), soci::into(newest);
    return newest;
  });
}

Result<> TotpTable::remove(const ApproverId& approver) {
  return database_.run("removing codes", [&](soci::session& sql) {
    const auto text = to_hex(approver);
    sql << "DELETE FROM zkv_totp WHERE approver = :1", soci::use(text);
  });
}

Result<> TotpTable::adopt() { return database_.execute("DELETE FROM zkv_totp"); }

}  // namespace zkv::gateway
