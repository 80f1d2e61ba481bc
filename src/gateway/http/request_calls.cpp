// Requests, as people see and decide them.
#include <boost/json/array.hpp>
#include <utility>

#include "gateway/http/people_json.h"
#include "gateway/http/people_routes.h"

namespace zkv::gateway::http {

namespace {

namespace asio = boost::asio;

constexpr std::size_t kLongestReason = 800;  ///< bytes; the page takes 200 characters
constexpr std::size_t kLongestDecision = 16;

boost::json::object shown(const RequestCard& card, PeopleDoor& door) {
  return card_json(card, door.name_of(card.request.address));
}

boost::json::object list_of(const CardList& list, PeopleDoor& door) {
  boost::json::array array;
  for (const auto& card : list.cards) array.push_back(shown(card, door));
  return {{"requests", std::move(array)},
          {"more", list.has_more},
          {"damaged", boost::json::array(list.damaged.begin(), list.damaged.end())}};
}

asio::awaitable<Reply> list_requests(PersonalCall call, PeopleDoor& door) {
  const auto query = parse_form(call.incoming.query());
  if (find_field(query, "all") != "1") {
    const auto open = co_await door.people().open_requests(call.session);
    if (!open) co_return refusal(open.error());
    co_return json(200, list_of(*open, door));
  }
  const auto signed_in = co_await door.people().session(call.session);
  if (!signed_in) co_return refusal(signed_in.error());
  HistoryAsk ask;
  const auto before = find_field(query, "before");
  if (!before.empty()) ask.before = RequestId{std::string(before)};
  const auto page = co_await door.service().history(std::move(ask));
  if (!page) co_return refusal(page.error());
  co_return json(200, list_of(*page, door));
}

asio::awaitable<Reply> show_request(PersonalCall call, PeopleDoor& door) {
  RequestId id{std::move(call.incoming.parameter)};
  const auto card = co_await door.people().request(call.session, std::move(id));
  if (!card) co_return refusal(card.error());
  co_return json(200, shown(*card, door));
}

Result<passkey::Decision> read_decision(const PersonalCall& call) {
  ZKV_TRY(const auto text, call.members().text("decision", kLongestDecision));
  return passkey::decision_from_text(text);
}

Result<std::string> read_reason(const PersonalCall& call) {
  if (!call.members().has("reason")) return std::string();
  return call.members().text("reason", kLongestReason);
}

Result<DecisionByCode> read_decision_by_code(const PersonalCall& call) {
  DecisionByCode decision;
  decision.request.text = call.incoming.parameter;
  ZKV_TRY(decision.decision, read_decision(call));
  ZKV_TRY(decision.reason, read_reason(call));
  ZKV_TRY(decision.code, read_totp_code(call.body));
  return decision;
}

Result<PersonalDecision> read_personal_decision(const PersonalCall& call,
                                                const passkey::RelyingParty& party) {
  PersonalDecision decision;
  decision.request.text = call.incoming.parameter;
  ZKV_TRY(decision.decision, read_decision(call));
  ZKV_TRY(decision.reason, read_reason(call));
  ZKV_TRY(decision.answer, read_signed_challenge(call.body, party));
  return decision;
}

asio::awaitable<Reply> begin_decision(PersonalCall call, PeopleDoor& door) {
  const auto decision = read_decision(call);
  if (!decision) co_return refusal(decision.error());
  RequestId id{std::move(call.incoming.parameter)};
  const auto ask = co_await door.people().begin_decision(call.session, std::move(id), *decision);
  if (!ask) co_return refusal(ask.error());
  co_return json(200, signing_json(*ask, door.party()));
}

asio::awaitable<Reply> decide_by_code(PersonalCall call, PeopleDoor& door) {
  auto decision = read_decision_by_code(call);
  if (!decision) co_return refusal(decision.error());
  const auto card = co_await door.service().totps().decide(call.session, std::move(*decision),
                                                           std::move(call.incoming.client_name));
  if (!card) co_return refusal(card.error());
  co_return json(200, shown(*card, door));
}

asio::awaitable<Reply> decide(PersonalCall call, PeopleDoor& door) {
  if (call.members().has("code")) co_return co_await decide_by_code(std::move(call), door);
  auto decision = read_personal_decision(call, door.party());
  if (!decision) co_return refusal(decision.error());
  const auto card =
      co_await door.people().decide(call.session, std::move(*decision), std::move(call.incoming.client_name));
  if (!card) co_return refusal(card.error());
  co_return json(200, shown(*card, door));
}

}  // namespace

void add_request_calls(Router& router, PeopleDoor& door) {
  using Kind = PeopleDoor::Kind;
  door.add(router, "GET", "/v2/requests", list_requests);
  door.add(router, "GET", "/v2/requests/*/card", show_request);
  door.add(router, "POST", "/v2/requests/*/challenge", begin_decision, Kind::kDecision);
  door.add(router, "POST", "/v2/requests/*/decision", decide, Kind::kDecision);
}

}  // namespace zkv::gateway::http
