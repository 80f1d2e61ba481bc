// Coming by an invite, signing in, signing out.
#include <utility>

#include "gateway/http/people_json.h"
#include "gateway/http/people_routes.h"

namespace zkv::gateway::http {

namespace {

namespace asio = boost::asio;

asio::awaitable<Reply> begin_registration(PersonalCall call, PeopleDoor& door) {
  auto invite = read_invite_token(call.body);
  if (!invite) co_return refusal(invite.error());
  const auto ask = co_await door.people().begin_registration(std::move(*invite));
  if (!ask) {
    door.service().note_refusal("refused.registration", call.incoming.client_name, ask.error().message());
    co_return refusal(ask.error());
  }
  co_return json(200, registration_json(*ask, door.party(), door.gateway_name()));
}

asio::awaitable<Reply> finish_registration(PersonalCall call, PeopleDoor& door) {
  auto invite = read_invite_token(call.body);
  if (!invite) co_return refusal(invite.error());
  auto made = read_made_passkey(call.body, door.party());
  if (!made) co_return refusal(made.error());
  const auto session = co_await door.people().finish_registration(std::move(*invite), std::move(*made),
                                                                  std::move(call.incoming.client_name));
  if (!session) co_return refusal(session.error());
  co_return begun(201, *session, door);
}

asio::awaitable<Reply> begin_sign_in(PersonalCall /*call*/, PeopleDoor& door) {
  const auto challenge = co_await door.people().begin_sign_in();
  if (!challenge) co_return refusal(challenge.error());
  co_return json(200, challenge_json(*challenge, door.party()));
}

asio::awaitable<Reply> sign_in(PersonalCall call, PeopleDoor& door) {
  auto answer = read_signed_challenge(call.body, door.party());
  if (!answer) co_return refusal(answer.error());
  const auto session =
      co_await door.people().sign_in(std::move(*answer), std::move(call.incoming.client_name));
  if (!session) co_return refusal(session.error());
  co_return begun(200, *session, door);
}

asio::awaitable<Reply> show_session(PersonalCall call, PeopleDoor& door) {
  const auto signed_in = co_await door.people().viewer(call.session);
  if (!signed_in) co_return refusal(signed_in.error());
  co_return json(200, session_json(*signed_in, door.gateway_name()));
}

asio::awaitable<Reply> sign_out(PersonalCall call, PeopleDoor& door) {
  const auto ended = co_await door.people().sign_out(call.session);
  if (!ended) co_return refusal(ended.error());
  co_return door.without_session(empty(204));
}

}  // namespace

Reply begun(unsigned status, const NewSession& session, const PeopleDoor& door) {
  return door.with_session(json(status, session_json(session.signed_in, door.gateway_name())), session);
}

std::string registration_link(const passkey::RelyingParty& party, const SecretBytes& token) {
  return party.origin + "/#register=" + to_base64(token.span(), Base64::kUrlNoPadding);
}

void add_session_calls(Router& router, PeopleDoor& door) {
  using Kind = PeopleDoor::Kind;
  door.add(router, "POST", "/v2/registrations/challenge", begin_registration, Kind::kSignIn);
  door.add(router, "POST", "/v2/registrations", finish_registration, Kind::kSignIn);
  door.add(router, "POST", "/v2/session/challenge", begin_sign_in, Kind::kSignIn);
  door.add(router, "POST", "/v2/session", sign_in, Kind::kSignIn);
  door.add(router, "GET", "/v2/session", show_session);
  door.add(router, "DELETE", "/v2/session", sign_out);
}

}  // namespace zkv::gateway::http
