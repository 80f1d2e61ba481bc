// The statements on approvers and their sessions.
#include <fmt/format.h>

#include "gateway/store/people_table.h"

namespace zkv::gateway {

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
  return database_.run("inserting an approver", [&](soci::session& sql) {
    using soci::use;
    const auto id = to_hex(approver.id);
    const std::string role(to_text(approver.role));
    const auto created_at = milliseconds_of(approver.created_at);
    const auto revoked_at = milliseconds_of(approver.revoked_at);
    sql << "INSERT INTO zkv_approver (id, name, role, created_at, revoked_at) VALUES (:1, :2, :3, :4, :5)",
        use(id), use(approver.name), use(role), use(created_at), use(revoked_at);
  });
}

Result<> PeopleTable::revoke(const ApproverId& id, Time at) {
  ZKV_TRY(const auto rows, database_.run("revoking an approver", [&](soci::session& sql) {
    const auto text = to_hex(id);
    const auto revoked_at = milliseconds_of(at);
    soci::statement statement =
        (sql.prepare << "UPDATE zkv_approver SET revoked_at = :1 WHERE id = :2 AND revoked_at = 0",
         soci::use(revoked_at), soci::use(text));
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
  struct Row {
    std::string id, name, role;
    long long created_at = 0;
    long long revoked_at = 0;
  };
  std::vector<Row> rows;
  ZKV_CHECK(database_.run("reading approvers", [&](soci::session& sql) {
    using soci::into;
    Row row;
    soci::statement statement(sql);
    for (auto* text : {&row.id, &row.name, &row.role}) statement.exchange(into(*text));
    for (auto* time : {&row.created_at, &row.revoked_at}) statement.exchange(into(*time));
    if (parameter) statement.exchange(soci::use(*parameter));
    statement.alloc();
    statement.prepare("SELECT id, name, role, created_at, revoked_at FROM zkv_approver " + rest);
    statement.define_and_bind();
    statement.execute(false);
    while (statement.fetch()) rows.push_back(row);
  }));
  std::vector<Approver> approvers;
  for (const auto& row : rows) {
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

Result<> PeopleTable::insert(const Session& session) {
  return database_.run("inserting a session", [&](soci::session& sql) {
    const auto hash = to_hex(session.hash);
    const auto approver = to_hex(session.approver);
    const auto expires_at = milliseconds_of(session.expires_at);
    sql << "INSERT INTO zkv_session (hash, approver, expires_at) VALUES (:1, :2, :3)", soci::use(hash),
        soci::use(approver), soci::use(expires_at);
  });
}

Result<std::optional<Session>> PeopleTable::find_session(const crypto::Sha256& hash) {
  std::string approver;
  long long expires_at = 0;
  ZKV_TRY(const bool found, database_.run("reading a session", [&](soci::session& sql) {
    const auto text = to_hex(hash);
    sql << "SELECT approver, expires_at FROM zkv_session WHERE hash = :1", soci::use(text),
        soci::into(approver), soci::into(expires_at);
    return sql.got_data();
  }));
  if (!found) return std::nullopt;
  Session session;
  session.hash = hash;
  ZKV_TRY(session.approver, bytes_of_column<sizeof(ApproverId)>(approver, "a session"));
  session.expires_at = time_of(expires_at);
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

}  // namespace zkv::gateway
