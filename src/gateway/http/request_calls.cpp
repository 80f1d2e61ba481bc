// Requests and hosts, as people see and decide them.
#include <utility>

#include "gateway/http/people_json.h"
#include "gateway/http/people_routes.h"

namespace zkv::gateway::http {

namespace {

namespace asio = boost::asio;

constexpr std::size_t kLongestReason = 800;  ///< bytes; the page takes 200 characters
constexpr std::size_t kLongestDecision = 16;

asio::awaitable<Reply> list_requests(PersonalCall call, PeopleDoor& door) {
  const auto signed_in = co_await door.people().session(call.session);
  if (!signed_in) co_return refusal(signed_in.error());
  const bool all = find_field(parse_form(call.incoming.query()), "all") == "1";
  const auto cards = co_await door.service().requests(all);
  if (!cards) co_return refusal(cards.error());
  co_return json(200, list_json("requests", *cards, card_json));
}

Result<passkey::Decision> read_decision(const PersonalCall& call) {
  ZKV_TRY(const auto text, call.members().text("decision", kLongestDecision));
  return passkey::decision_from_text(text);
}

Result<PersonalDecision> read_personal_decision(const PersonalCall& call,
                                                const passkey::RelyingParty& party) {
  PersonalDecision decision;
  decision.request.text = call.incoming.parameter;
  ZKV_TRY(decision.decision, read_decision(call));
  if (call.members().has("reason")) {
    ZKV_TRY(decision.reason, call.members().text("reason", kLongestReason));
  }
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

asio::awaitable<Reply> decide(PersonalCall call, PeopleDoor& door) {
  auto decision = read_personal_decision(call, door.party());
  if (!decision) co_return refusal(decision.error());
  const auto card =
      co_await door.people().decide(call.session, std::move(*decision), std::move(call.incoming.client_name));
  if (!card) co_return refusal(card.error());
  co_return json(200, card_json(*card));
}

asio::awaitable<Reply> list_hosts_for_people(PersonalCall call, PeopleDoor& door) {
  const auto signed_in = co_await door.people().session(call.session);
  if (!signed_in) co_return refusal(signed_in.error());
  const auto hosts = co_await door.service().enrolments().hosts();
  if (!hosts) co_return refusal(hosts.error());
  co_return json(200, list_json("hosts", *hosts, host_json));
}

/// By id alone: a name could have gone to another host meanwhile.
asio::awaitable<Reply> revoke_host_for_owner(PersonalCall call, PeopleDoor& door) {
  std::string id = call.incoming.parameter;
  const auto bytes = from_hex(id);
  if (!bytes || bytes->size() != sizeof(crypto::Sha256)) {
    co_return refusal(Error::not_found("there is no such host"));
  }
  auto confirmed = read_confirmed(call, door);
  if (!confirmed) co_return refusal(confirmed.error());
  passkey::Act act{"host.revoke", {id}};
  const auto owner = co_await door.people().confirm(std::move(*confirmed), std::move(act), Role::kOwner);
  if (!owner) co_return refusal(owner.error());
  std::string by = "approver:" + owner->name;
  const auto host = co_await door.service().enrolments().revoke(std::move(id), std::move(by));
  if (!host) co_return refusal(host.error());
  co_return empty(204);
}

}  // namespace

void add_request_calls(Router& router, PeopleDoor& door) {
  using Kind = PeopleDoor::Kind;
  door.add(router, "GET", "/v2/requests", list_requests);
  door.add(router, "POST", "/v2/requests/*/challenge", begin_decision, Kind::kDecision);
  door.add(router, "POST", "/v2/requests/*/decision", decide, Kind::kDecision);
  door.add(router, "GET", "/v2/hosts", list_hosts_for_people);
  door.add(router, "POST", "/v2/hosts/*/revocation", revoke_host_for_owner, Kind::kDecision);
}

}  // namespace zkv::gateway::http
