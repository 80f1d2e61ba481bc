// One's own passkeys.
#include <utility>

#include "gateway/http/people_json.h"
#include "gateway/http/people_routes.h"

namespace zkv::gateway::http {

namespace {

namespace asio = boost::asio;

constexpr std::size_t kLongestLabelText = 256;

Reply passkey_reply(unsigned status, const Result<Passkey>& passkey) {
  return passkey ? json(status, passkey_json(*passkey)) : refusal(passkey.error());
}

asio::awaitable<Reply> list_passkeys(PersonalCall call, PeopleDoor& door) {
  const auto passkeys = co_await door.people().passkeys(call.session);
  if (!passkeys) co_return refusal(passkeys.error());
  co_return json(200, list_json("passkeys", *passkeys, passkey_json));
}

asio::awaitable<Reply> begin_passkey(PersonalCall call, PeopleDoor& door) {
  const auto ask = co_await door.people().begin_passkey(call.session);
  if (!ask) co_return refusal(ask.error());
  co_return json(200, registration_json(*ask, door.party(), door.gateway_name()));
}

asio::awaitable<Reply> add_passkey(PersonalCall call, PeopleDoor& door) {
  auto made = read_made_passkey(call.body, door.party());
  if (!made) co_return refusal(made.error());
  auto confirmed = read_confirmed(call, door);
  if (!confirmed) co_return refusal(confirmed.error());
  const auto passkey = co_await door.people().add_passkey(std::move(*confirmed), std::move(*made));
  co_return passkey_reply(201, passkey);
}

asio::awaitable<Reply> rename_passkey(PersonalCall call, PeopleDoor& door) {
  auto id = read_path_id(call.incoming.parameter);
  if (!id) co_return refusal(id.error());
  auto label = call.members().text("label", kLongestLabelText);
  if (!label) co_return refusal(label.error());
  const auto passkey = co_await door.people().rename_passkey(call.session, std::move(*id), std::move(*label));
  co_return passkey_reply(200, passkey);
}

asio::awaitable<Reply> remove_passkey(PersonalCall call, PeopleDoor& door) {
  auto id = read_path_id(call.incoming.parameter);
  if (!id) co_return refusal(id.error());
  auto confirmed = read_confirmed(call, door);
  if (!confirmed) co_return refusal(confirmed.error());
  const auto removed = co_await door.people().remove_passkey(std::move(*confirmed), std::move(*id));
  if (!removed) co_return refusal(removed.error());
  co_return empty(204);
}

}  // namespace

void add_passkey_calls(Router& router, PeopleDoor& door) {
  using Kind = PeopleDoor::Kind;
  door.add(router, "GET", "/v2/passkeys", list_passkeys);
  door.add(router, "POST", "/v2/passkeys/challenge", begin_passkey);
  door.add(router, "POST", "/v2/passkeys", add_passkey, Kind::kDecision);
  door.add(router, "PATCH", "/v2/passkeys/*", rename_passkey);
  door.add(router, "POST", "/v2/passkeys/*/removal", remove_passkey, Kind::kDecision);
}

}  // namespace zkv::gateway::http
