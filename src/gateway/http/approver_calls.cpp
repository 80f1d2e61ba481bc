// Those who may decide, for owners.
#include <utility>

#include "base/time.h"
#include "gateway/http/people_json.h"
#include "gateway/http/people_routes.h"

namespace zkv::gateway::http {

namespace {

namespace asio = boost::asio;

asio::awaitable<Reply> list_approvers(PersonalCall call, PeopleDoor& door) {
  Viewer by = call.session;
  const auto approvers = co_await door.people().approvers(std::move(by));
  if (!approvers) co_return refusal(approvers.error());
  co_return json(200, list_json("approvers", *approvers, approver_json));
}

asio::awaitable<Reply> invite_approver(PersonalCall call, PeopleDoor& door) {
  auto wanted = read_new_approver(call.body);
  if (!wanted) co_return refusal(wanted.error());
  auto confirmed = read_confirmed(call, door);
  if (!confirmed) co_return refusal(confirmed.error());
  Doer by = std::move(*confirmed);
  const auto made = co_await door.people().invite(std::move(*wanted), std::move(by));
  if (!made) co_return refusal(made.error());
  co_return json(201, {{"url", registration_link(door.party(), made->token)},
                       {"expires_at", zkv::to_text(made->invite.expires_at)}});
}

asio::awaitable<Reply> list_invites(PersonalCall call, PeopleDoor& door) {
  Viewer by = call.session;
  const auto invites = co_await door.people().invites(std::move(by));
  if (!invites) co_return refusal(invites.error());
  co_return json(200, list_json("invites", *invites, invite_json));
}

asio::awaitable<Reply> withdraw_invite(PersonalCall call, PeopleDoor& door) {
  Viewer by = call.session;
  const auto ended =
      co_await door.people().withdraw_invite(std::move(call.incoming.parameter), std::move(by));
  if (!ended) co_return refusal(ended.error());
  co_return empty(204);
}

/// By id alone: what is no id is not taken for a name.
asio::awaitable<Reply> revoke_approver(PersonalCall call, PeopleDoor& door) {
  const auto id = read_path_id(call.incoming.parameter);
  if (!id || id->size() != sizeof(ApproverId)) {
    co_return refusal(Error::not_found("there is no such approver"));
  }
  auto confirmed = read_confirmed(call, door);
  if (!confirmed) co_return refusal(confirmed.error());
  Doer by = std::move(*confirmed);
  const auto revoked = co_await door.people().revoke(std::move(call.incoming.parameter), std::move(by));
  if (!revoked) co_return refusal(revoked.error());
  co_return empty(204);
}

}  // namespace

void add_approver_calls(Router& router, PeopleDoor& door) {
  using Kind = PeopleDoor::Kind;
  door.add(router, "GET", "/v2/approvers", list_approvers);
  door.add(router, "POST", "/v2/approvers/invites", invite_approver, Kind::kDecision);
  door.add(router, "GET", "/v2/invites", list_invites);
  door.add(router, "DELETE", "/v2/invites/*", withdraw_invite);
  door.add(router, "POST", "/v2/approvers/*/revocation", revoke_approver, Kind::kDecision);
}

}  // namespace zkv::gateway::http
