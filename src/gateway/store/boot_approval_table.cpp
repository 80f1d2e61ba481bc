// The statements on approvals of next boots.
#include "gateway/store/host_table.h"

namespace zkv::gateway {
namespace {

constexpr const char* kBootTable = "zkv_boot_approval";

/// An approval as the database holds it.
struct BootRow {
  std::string host, by, boot, evidence, used_by, seal;
  long long approved_at = 0;
  long long until = 0;
};

BootRow row_of(const BootApproval& approval) {
  return {approval.host,
          approval.by,
          approval.boot,
          to_hex(approval.evidence),
          approval.used_by,
          "",
          milliseconds_of(approval.approved_at),
          milliseconds_of(approval.until)};
}

Columns columns_of(const BootRow& row) {
  return {row.host,     row.by,     std::to_string(row.approved_at), std::to_string(row.until), row.boot,
          row.evidence, row.used_by};
}

Result<BootApproval> boot_approval_from(const BootRow& row) {
  auto evidence = from_hex(row.evidence);
  if (!evidence) return Error::corrupt("the database's row of a boot's approval is damaged");
  return BootApproval{row.host,           row.by,   time_of(row.approved_at),
                      time_of(row.until), row.boot, std::move(*evidence),
                      row.used_by};
}

}  // namespace

Result<> HostTable::put(const BootApproval& approval) {
  auto row = row_of(approval);
  row.seal = seal_.of(kBootTable, columns_of(row));
  return database_.run("keeping a boot's approval", [&](soci::session& sql) {
    using soci::use;
    sql << "INSERT OR REPLACE INTO zkv_boot_approval (host, approved_by, approved_at, until, boot, evidence, "
           "used_by, seal) VALUES (:1, :2, :3, :4, :5, :6, :7, :8)",
        use(row.host), use(row.by), use(row.approved_at), use(row.until), use(row.boot), use(row.evidence),
        use(row.used_by), use(row.seal);
  });
}

Result<std::optional<BootApproval>> HostTable::boot_approval_of(const std::string& host) {
  ZKV_TRY(auto found, select_boot_approvals("WHERE host = :1", host));
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

Result<std::vector<BootApproval>> HostTable::boot_approvals() {
  return select_boot_approvals("ORDER BY host", std::nullopt);
}

Result<> HostTable::end_boot_approval(const std::string& host) {
  return database_.run("ending a boot's approval", [&](soci::session& sql) {
    sql << "DELETE FROM zkv_boot_approval WHERE host = :1", soci::use(host);
  });
}

Result<std::vector<BootApproval>> HostTable::select_boot_approvals(
    const std::string& rest, const std::optional<std::string>& parameter) {
  std::vector<BootRow> rows;
  ZKV_CHECK(database_.run("reading boots' approvals", [&](soci::session& sql) {
    BootRow row;
    soci::statement statement(sql);
    for (auto* text : {&row.host, &row.by}) statement.exchange(soci::into(*text));
    for (auto* time : {&row.approved_at, &row.until}) statement.exchange(soci::into(*time));
    for (auto* text : {&row.boot, &row.evidence, &row.used_by, &row.seal}) {
      statement.exchange(soci::into(*text));
    }
    if (parameter) statement.exchange(soci::use(*parameter));
    statement.alloc();
    statement.prepare(
        "SELECT host, approved_by, approved_at, until, boot, evidence, used_by, seal FROM "
        "zkv_boot_approval " +
        rest);
    statement.define_and_bind();
    statement.execute(false);
    while (statement.fetch()) rows.push_back(row);
  }));
  std::vector<BootApproval> approvals;
  for (const auto& row : rows) {
    ZKV_CHECK(seal_.check(kBootTable, columns_of(row), row.seal));
    ZKV_TRY(auto approval, boot_approval_from(row));
    approvals.push_back(std::move(approval));
  }
  return approvals;
}

}  // namespace zkv::gateway
