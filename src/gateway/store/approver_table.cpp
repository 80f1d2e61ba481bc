// The statements on approvers.
#include <fmt/format.h>

#include "gateway/store/people_table.h"
#include "gateway/store/seal_writer.h"

namespace zkv::gateway {
namespace {

constexpr const char* kApproverTable = "zkv_approver";

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

}  // namespace zkv::gateway
