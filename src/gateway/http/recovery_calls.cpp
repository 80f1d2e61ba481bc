// Recovery codes: how many are left, new ones, and coming back by one.
#include <utility>

#include "gateway/http/people_json.h"
#include "gateway/http/people_routes.h"

namespace zkv::gateway::http {

namespace {

namespace asio = boost::asio;

asio::awaitable<Reply> show_recovery(PersonalCall call, PeopleDoor& door) {
  const auto state = co_await door.people().recovery(call.session);
  if (!state) co_return refusal(state.error());
  co_return json(200, recovery_json(*state));
}

asio::awaitable<Reply> make_recovery_codes(PersonalCall call, PeopleDoor& door) {
  auto confirmed = read_confirmed(call, door);
  if (!confirmed) co_return refusal(confirmed.error());
  const auto codes = co_await door.people().make_recovery_codes(std::move(*confirmed));
  if (!codes) co_return refusal(codes.error());
  co_return recovery_codes_reply(*codes);
}

asio::awaitable<Reply> begin_recovery(PersonalCall call, PeopleDoor& door) {
  auto code = read_recovery_code(call.body);
  if (!code) co_return refusal(code.error());
  const auto ask = co_await door.people().begin_recovery(std::move(*code));
  if (!ask) {
    door.service().note_refusal("refused.recovery", call.incoming.client_name, ask.error().message());
    co_return refusal(ask.error());
  }
  co_return json(200, registration_json(*ask, door.party(), door.gateway_name()));
}

asio::awaitable<Reply> finish_recovery(PersonalCall call, PeopleDoor& door) {
  auto code = read_recovery_code(call.body);
  if (!code) co_return refusal(code.error());
  auto made = read_made_passkey(call.body, door.party());
  if (!made) co_return refusal(made.error());
  const auto session = co_await door.people().finish_recovery(std::move(*code), std::move(*made),
                                                              std::move(call.incoming.client_name));
  if (!session) co_return refusal(session.error());
  co_return begun(201, *session, door);
}

}  // namespace

void add_recovery_calls(Router& router, PeopleDoor& door) {
  using Kind = PeopleDoor::Kind;
  door.add(router, "GET", "/v2/recovery-codes", show_recovery);
  door.add(router, "POST", "/v2/recovery-codes", make_recovery_codes, Kind::kDecision);
  door.add(router, "POST", "/v2/recoveries/challenge", begin_recovery, Kind::kSignIn);
  door.add(router, "POST", "/v2/recoveries", finish_recovery, Kind::kSignIn);
}

}  // namespace zkv::gateway::http
