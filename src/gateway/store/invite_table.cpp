// The statements on invites.
#include <fmt/format.h>

#include "gateway/store/host_table.h"

namespace zkv::gateway {
namespace {

constexpr const char* kHostKind = "host";
constexpr const char* kApproverKind = "approver";
constexpr const char* kInviteTable = "zkv_invite";

std::string kind_of(const Invite& invite) {
  return invite.kind == Invite::Kind::kHost ? kHostKind : kApproverKind;
}

Columns columns_of(const Invite& invite) {
  return {to_hex(invite.hash),
          kind_of(invite),
          invite.name,
          invite.group,
          std::to_string(milliseconds_of(invite.created_at)),
          std::to_string(milliseconds_of(invite.expires_at)),
          invite.used_by};
}

}  // namespace

Result<> HostTable::insert(const Invite& invite) {
  const auto seal = seal_.of(kInviteTable, columns_of(invite));
  return database_.run("inserting an invite", [&](soci::session& sql) {
    using soci::use;
    const auto hash = to_hex(invite.hash);
    const auto kind = kind_of(invite);
    const auto created_at = milliseconds_of(invite.created_at);
    const auto expires_at = milliseconds_of(invite.expires_at);
    sql << "INSERT INTO zkv_invite (hash, kind, name, group_name, created_at, expires_at, used_by, seal) "
           "VALUES (:1, :2, :3, :4, :5, :6, :7, :8)",
        use(hash), use(kind), use(invite.name), use(invite.group), use(created_at), use(expires_at),
        use(invite.used_by), use(seal);
  });
}

Result<std::optional<Invite>> HostTable::find_invite(const Bytes& hash) {
  std::string seal;
  ZKV_TRY(auto found, database_.run("reading an invite", [&](soci::session& sql) -> std::optional<Invite> {
    using soci::into;
    Invite invite;
    std::string kind;
    long long created_at = 0;
    long long expires_at = 0;
    const auto text = to_hex(hash);
    sql << "SELECT kind, name, group_name, created_at, expires_at, used_by, seal FROM zkv_invite WHERE hash "
           "= :1",
        soci::use(text), into(kind), into(invite.name), into(invite.group), into(created_at),
        into(expires_at), into(invite.used_by), into(seal);
    if (!sql.got_data()) return std::nullopt;
    invite.hash = hash;
    invite.kind = kind == kHostKind ? Invite::Kind::kHost : Invite::Kind::kApprover;
    invite.created_at = time_of(created_at);
    invite.expires_at = time_of(expires_at);
    return invite;
  }));
  if (found) ZKV_CHECK(seal_.check(kInviteTable, columns_of(*found), seal));
  return found;
}

Result<> HostTable::use_invite(const Bytes& hash, const std::string& by) {
  ZKV_TRY(auto invite, find_invite(hash));
  if (!invite) return Error::not_found("there is no such invite");
  invite->used_by = by;
  const auto seal = seal_.of(kInviteTable, columns_of(*invite));
  ZKV_TRY(const auto rows, database_.run("using an invite", [&](soci::session& sql) {
    const auto text = to_hex(hash);
    soci::statement statement =
        (sql.prepare << "UPDATE zkv_invite SET used_by = :1, seal = :2 WHERE hash = :3 AND used_by = ''",
         soci::use(by), soci::use(seal), soci::use(text));
    statement.execute(true);
    return statement.get_affected_rows();
  }));
  if (rows == 1) return {};
  return Error::conflict("this invite was used before").remedy("ask for a new one");
}

}  // namespace zkv::gateway
