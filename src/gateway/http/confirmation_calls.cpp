// Challenges for what gives or takes power, and reading how they were answered: docs/protocol-v2.md,
// "Confirming what gives or takes power".
#include <utility>

#include "gateway/http/people_json.h"
#include "gateway/http/people_routes.h"

namespace zkv::gateway::http {

namespace {

namespace asio = boost::asio;

asio::awaitable<Reply> begin_confirmation(PersonalCall call, PeopleDoor& door) {
  auto act = read_act(call.body);
  if (!act) co_return refusal(act.error());
  const auto ask = co_await door.people().begin_act(call.session, std::move(*act));
  if (!ask) co_return refusal(ask.error());
  co_return json(200, signing_json(*ask, door.party()));
}

}  // namespace

Result<Confirmation> read_confirmed(const PersonalCall& call, const PeopleDoor& door) {
  ZKV_TRY(auto answer, read_confirmation(call.body, door.party()));
  return Confirmation{call.session, std::move(answer), call.incoming.client_name};
}

void add_confirmation_calls(Router& router, PeopleDoor& door) {
  door.add(router, "POST", "/v2/confirmations", begin_confirmation, PeopleDoor::Kind::kDecision);
}

}  // namespace zkv::gateway::http
