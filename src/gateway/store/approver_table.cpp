// The statements on approvers and their sessions.
#include <fmt/format.h>

#include "gateway/store/people_table.h"
#include "gateway/store/seal_writer.h"

namespace zkv::gateway {
namespace {

constexpr const char* kApproverTable = "zkv_approver";
constexpr const char* kSessionTable = "zkv_session";

struct ApproverRow {
  std::string id, name, role, seal;
  long long created_at = 0;
  long long revoked_at = 0;
};

ApproverRow row_of(const Approver& approver) {
  return {to_hex(approver.id),
          approver.name,
          std::string(to_text(approver.role)),
          "",
          milliseconds_of(approver.created_at),
          milliseconds_of(approver.revoked_at)};
}

Columns columns_of(const ApproverRow& row) {
  return {row.id, row.name, row.role, std::to_string(row.created_at), std::to_string(row.revoked_at)};
}

std::string word_for(SessionKind kind) { return kind == SessionKind::kTotp ? "totp" : "passkey"; }

/// As it was before there were kinds, for those by passkey.
Columns columns_of(const Session& session) {
  Columns columns{to_hex(session.hash), to_hex(session.approver),
                  std::to_string(milliseconds_of(session.expires_at))};
  if (session.kind != SessionKind::kPasskey) columns.push_back(word_for(session.kind));
  return columns;
}

Result<std::vector<ApproverRow>> approver_rows(Database& database, const std::string& rest,
                                               const std::optional<std::string>& parameter) {
  std::vector<ApproverRow> rows;
  ZKV_CHECK(database.run("reading approvers", [&](soci::session& sql) {
    using soci::into;
    ApproverRow row;
    soci::statement statement(sql);
    for (auto* text : {&row.id, &row.name, &row.role}) statement.exchange(into(*text));
    for (auto* time : {&row.created_at, &row.revoked_at}) statement.exchange(into(*time));
    statement.exchange(into(row.seal));
    if (parameter) statement.exchange(soci::use(*parameter));
    statement.alloc();
    statement.prepare("SELECT id, name, role, created_at, revoked_at, seal FROM zkv_approver " + rest);
    statement.define_and_bind();
    statement.execute(false);
    while (statement.fetch()) rows.push_back(row);
  }));
  return rows;
}

}  // namespace

std::string_view to_text(Role role) { return role == Role::kOwner ? "owner" : "approver"; }

std::optional<Role> role_from_text(std::string_view text) {
  if (text == to_text(Role::kOwner)) return Role::kOwner;
  if (text == to_text(Role::kApprover)) return Role::kApprover;
  return std::nullopt;
}

Result<> PeopleTable::insert(const Approver& approver) {
  ZKV_TRY(const auto other, approver_called(approver.name));
  if (other) {
    return Error::exists(fmt::format("there is an approver '{}' already", approver.name))
        .remedy("give another name, or revoke the other first");
  }
  auto row = row_of(approver);
  row.seal = seal_.of(kApproverTable, columns_of(row));
  return database_.run("inserting an approver", [&](soci::session& sql) {
    using soci::use;
    sql << "INSERT INTO zkv_approver (id, name, role, created_at, revoked_at, seal) "
           "VALUES (:1, :2, :3, :4, :5, :6)",
        use(row.id), use(row.name), use(row.role), use(row.created_at), use(row.revoked_at), use(row.seal);
  });
}

Result<> PeopleTable::revoke(const ApproverId& id, Time at) {
  ZKV_TRY(auto approver, find_approver(id));
  if (!approver) return Error::not_found("there is no such approver");
  approver->revoked_at = at;
  const auto row = row_of(*approver);
  const auto seal = seal_.of(kApproverTable, columns_of(row));
  ZKV_TRY(const auto rows, database_.run("revoking an approver", [&](soci::session& sql) {
    soci::statement statement =
        (sql.prepare << "UPDATE zkv_approver SET revoked_at = :1, seal = :2 WHERE id = :3 AND revoked_at = 0",
         soci::use(row.revoked_at), soci::use(seal), soci::use(row.id));
    statement.execute(true);
    return statement.get_affected_rows();
  }));
  if (rows == 1) return {};
  return Error::not_found("there is no such approver");
}

Result<std::optional<Approver>> PeopleTable::find_approver(const ApproverId& id) {
  ZKV_TRY(auto found, select_approvers("WHERE id = :1", to_hex(id)));
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

Result<std::optional<Approver>> PeopleTable::approver_called(const std::string& name) {
  ZKV_TRY(auto found, select_approvers("WHERE name = :1 AND revoked_at = 0", name));
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

Result<std::vector<Approver>> PeopleTable::all_approvers() {
  return select_approvers("WHERE revoked_at = 0 ORDER BY name", std::nullopt);
}

Result<std::vector<Approver>> PeopleTable::select_approvers(const std::string& rest,
                                                            const std::optional<std::string>& parameter) {
  ZKV_TRY(const auto rows, approver_rows(database_, rest, parameter));
  std::vector<Approver> approvers;
  for (const auto& row : rows) {
    ZKV_CHECK(seal_.check(kApproverTable, columns_of(row), row.seal));
    Approver approver;
    ZKV_TRY(approver.id, bytes_of_column<sizeof(ApproverId)>(row.id, "approver " + row.name));
    approver.name = row.name;
    approver.role = role_from_text(row.role).value_or(Role::kApprover);
    approver.created_at = time_of(row.created_at);
    approver.revoked_at = time_of(row.revoked_at);
    approvers.push_back(std::move(approver));
  }
  return approvers;
}

Result<> PeopleTable::adopt() {
  ZKV_TRY(const auto rows, approver_rows(database_, "", std::nullopt));
  SealsByKey seals;
  for (const auto& row : rows) seals.emplace_back(row.id, seal_.of(kApproverTable, columns_of(row)));
  ZKV_CHECK(write_seals(database_, kApproverTable, "id", seals));
  ZKV_CHECK(adopt_passkeys());
  ZKV_CHECK(database_.execute("DELETE FROM zkv_recovery_code"));
  return database_.execute("DELETE FROM zkv_session");
}

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
