// Codes of an authenticator app: set up, removed, and signing in by one. Deciding by one is in the calls of
// requests.
#include <utility>

#include "gateway/http/people_json.h"
#include "gateway/http/people_routes.h"

namespace zkv::gateway::http {

namespace {

namespace asio = boost::asio;

constexpr std::size_t kLongestPersonsName = 256;

/// For who is not signed in yet.
asio::awaitable<Reply> show_ways(PersonalCall /*call*/, PeopleDoor& door) {
  co_return json(200, {{"totp", door.service().totps().is_on()}});
}

asio::awaitable<Reply> sign_in_by_code(PersonalCall call, PeopleDoor& door) {
  auto name = call.members().text("name", kLongestPersonsName);
  if (!name) co_return refusal(name.error());
  auto code = read_totp_code(call.body);
  if (!code) co_return refusal(code.error());
  const auto session = co_await door.service().totps().sign_in(std::move(*name), std::move(*code),
                                                               std::move(call.incoming.client_name));
  if (!session) co_return refusal(session.error());
  co_return begun(200, *session, door);
}

asio::awaitable<Reply> show_totp(PersonalCall call, PeopleDoor& door) {
  auto& totps = door.service().totps();
  const auto state = co_await totps.state(call.session);
  if (!state) co_return refusal(state.error());
  co_return json(200, totp_json(*state, totps.groups()));
}

asio::awaitable<Reply> set_up_totp(PersonalCall call, PeopleDoor& door) {
  auto confirmed = read_confirmed(call, door);
  if (!confirmed) co_return refusal(confirmed.error());
  const auto made = co_await door.service().totps().set_up(std::move(*confirmed));
  if (!made) co_return refusal(made.error());
  co_return new_totp_reply(*made, door.gateway_name());
}

asio::awaitable<Reply> begin_totp(PersonalCall call, PeopleDoor& door) {
  auto code = read_totp_code(call.body);
  if (!code) co_return refusal(code.error());
  auto& totps = door.service().totps();
  const auto state =
      co_await totps.begin(call.session, std::move(*code), std::move(call.incoming.client_name));
  if (!state) co_return refusal(state.error());
  co_return json(200, totp_json(*state, totps.groups()));
}

asio::awaitable<Reply> remove_totp(PersonalCall call, PeopleDoor& door) {
  auto confirmed = read_confirmed(call, door);
  if (!confirmed) co_return refusal(confirmed.error());
  const auto removed = co_await door.service().totps().remove(std::move(*confirmed));
  if (!removed) co_return refusal(removed.error());
  co_return empty(204);
}

}  // namespace

void add_totp_calls(Router& router, PeopleDoor& door) {
  using Kind = PeopleDoor::Kind;
  door.add(router, "GET", "/v2/session/ways", show_ways);
  door.add(router, "POST", "/v2/session/totp", sign_in_by_code, Kind::kSignIn);
  door.add(router, "GET", "/v2/totp", show_totp);
  door.add(router, "POST", "/v2/totp", set_up_totp, Kind::kDecision);
  door.add(router, "POST", "/v2/totp/first-code", begin_totp, Kind::kDecision);
  door.add(router, "POST", "/v2/totp/removal", remove_totp, Kind::kDecision);
}

}  // namespace zkv::gateway::http
