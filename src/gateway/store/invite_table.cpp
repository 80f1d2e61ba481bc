// The statements on invites.
#include <fmt/format.h>

#include "gateway/store/host_table.h"

namespace zkv::gateway {
namespace {

constexpr const char* kHostKind = "host";
constexpr const char* kApproverKind = "approver";

}  // namespace

Result<> HostTable::insert(const Invite& invite) {
  return database_.run("inserting an invite", [&](soci::session& sql) {
    using soci::use;
    const auto hash = to_hex(invite.hash);
    const std::string kind = invite.kind == Invite::Kind::kHost ? kHostKind : kApproverKind;
    const auto created_at = milliseconds_of(invite.created_at);
    const auto expires_at = milliseconds_of(invite.expires_at);
    sql << "INSERT INTO zkv_invite (hash, kind, name, group_name, created_at, expires_at, used_by) "
           "VALUES (:1, :2, :3, :4, :5, :6, :7)",
        use(hash), use(kind), use(invite.name), use(invite.group), use(created_at), use(expires_at),
        use(invite.used_by);
  });
}

Result<std::optional<Invite>> HostTable::find_invite(const Bytes& hash) {
  return database_.run("reading an invite", [&](soci::session& sql) -> std::optional<Invite> {
    using soci::into;
    Invite invite;
    std::string kind;
    long long created_at = 0;
    long long expires_at = 0;
    const auto text = to_hex(hash);
    sql << "SELECT kind, name, group_name, created_at, expires_at, used_by FROM zkv_invite WHERE hash = :1",
        soci::use(text), into(kind), into(invite.name), into(invite.group), into(created_at),
        into(expires_at), into(invite.used_by);
    if (!sql.got_data()) return std::nullopt;
    invite.hash = hash;
    invite.kind = kind == kHostKind ? Invite::Kind::kHost : Invite::Kind::kApprover;
    invite.created_at = time_of(created_at);
    invite.expires_at = time_of(expires_at);
    return invite;
  });
}

Result<> HostTable::use_invite(const Bytes& hash, const std::string& by) {
  ZKV_TRY(const auto rows, database_.run("using an invite", [&](soci::session& sql) {
    const auto text = to_hex(hash);
    soci::statement statement =
        (sql.prepare << "UPDATE zkv_invite SET used_by = :1 WHERE hash = :2 AND used_by = ''", soci::use(by),
         soci::use(text));
    statement.execute(true);
    return statement.get_affected_rows();
  }));
  if (rows == 1) return {};
  return Error::conflict("this invite was used before").remedy("ask for a new one");
}

}  // namespace zkv::gateway
