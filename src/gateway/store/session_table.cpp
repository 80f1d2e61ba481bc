// The statements on sessions.
#include "gateway/store/people_table.h"

namespace zkv::gateway {
namespace {

constexpr const char* kSessionTable = "zkv_session";

std::string word_for(SessionKind kind) { return kind == SessionKind::kTotp ? "totp" : "passkey"; }

/// As it was before there were kinds, for those by passkey.
Columns columns_of(const Session& session) {
  Columns columns{to_hex(session.hash), to_hex(session.approver),
                  std::to_string(milliseconds_of(session.expires_at))};
  if (session.kind != SessionKind::kPasskey) columns.push_back(word_for(session.kind));
  return columns;
}

}  // namespace

Result<> PeopleTable::insert(const Session& session) {
  const auto seal = seal_.of(kSessionTable, columns_of(session));
  return database_.run("inserting a session", [&](soci::session& sql) {
    const auto hash = to_hex(session.hash);
    const auto approver = to_hex(session.approver);
    const auto expires_at = milliseconds_of(session.expires_at);
    const auto kind = word_for(session.kind);
    sql << "INSERT INTO zkv_session (hash, approver, expires_at, seal, kind) VALUES (:1, :2, :3, :4, :5)",
        soci::use(hash), soci::use(approver), soci::use(expires_at), soci::use(seal), soci::use(kind);
  });
}

Result<std::optional<Session>> PeopleTable::find_session(const crypto::Sha256& hash) {
  std::string approver;
  std::string seal;
  std::string kind;
  long long expires_at = 0;
  ZKV_TRY(const bool found, database_.run("reading a session", [&](soci::session& sql) {
    const auto text = to_hex(hash);
    sql << "SELECT approver, expires_at, seal, kind FROM zkv_session WHERE hash = :1", soci::use(text),
        soci::into(approver), soci::into(expires_at), soci::into(seal), soci::into(kind);
    return sql.got_data();
  }));
  if (!found) return std::nullopt;
  Session session;
  session.hash = hash;
  ZKV_TRY(session.approver, bytes_of_column<sizeof(ApproverId)>(approver, "a session"));
  session.expires_at = time_of(expires_at);
  session.kind = kind == word_for(SessionKind::kPasskey) ? SessionKind::kPasskey : SessionKind::kTotp;
  ZKV_CHECK(seal_.check(kSessionTable, columns_of(session), seal));
  return session;
}

Result<> PeopleTable::end_session(const crypto::Sha256& hash) {
  return database_.run("ending a session", [&](soci::session& sql) {
    const auto text = to_hex(hash);
    sql << "DELETE FROM zkv_session WHERE hash = :1", soci::use(text);
  });
}

Result<> PeopleTable::end_sessions_of(const ApproverId& approver) {
  return database_.run("ending sessions", [&](soci::session& sql) {
    const auto text = to_hex(approver);
    sql << "DELETE FROM zkv_session WHERE approver = :1", soci::use(text);
  });
}

Result<> PeopleTable::end_totp_sessions_of(const ApproverId& approver) {
  return database_.run("ending sessions", [&](soci::session& sql) {
    const auto text = to_hex(approver);
    sql << "DELETE FROM zkv_session WHERE approver = :1 AND kind = 'totp'", soci::use(text);
  });
}

}  // namespace zkv::gateway
