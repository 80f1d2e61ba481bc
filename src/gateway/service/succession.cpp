// The invite of a successor: its token is the host's own secret, its name one that nobody can give.
#include "gateway/service/succession.h"

#include <fmt/format.h>

namespace zkv::gateway {
namespace {

constexpr std::chrono::hours kSuccessorInvite{1};

Bytes hash_in(const protocol::RequestMessage& message) {
  return {message.successor->begin(), message.successor->end()};
}

}  // namespace

Result<> check_successor(Store& store, const protocol::RequestMessage& message) {
  if (!message.successor) return {};
  ZKV_TRY(const auto used, store.hosts().find_invite(hash_in(message)));
  if (!used) return {};
  return Error::conflict("the token for its new keys was used before").remedy("ask again with a new one");
}

Result<> invite_successor(Desk& desk, const Request& request, const Host& host,
                          const protocol::RequestMessage& message) {
  if (!message.successor) return {};
  Invite invite;
  invite.hash = hash_in(message);
  invite.name = host.name + "~" + request.id.text;
  invite.group = host.group;
  invite.created_at = now();
  invite.expires_at = invite.created_at + kSuccessorInvite;
  ZKV_CHECK(desk.store().hosts().insert(invite));
  ZKV_CHECK(desk.store().hosts().insert(Succession{invite.hash, host.id}));
  return desk.note("host.successor", request.id.text, "gateway",
                   fmt::format("{} {} may enrol as {}", host.name, host.id, invite.name));
}

}  // namespace zkv::gateway
