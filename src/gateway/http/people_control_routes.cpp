// Approvers as JSON, and their invites: the first owner comes this way.
#include "gateway/http/people_control_routes.h"

#include <boost/json/array.hpp>
#include <utility>

#include "base/time.h"
#include "gateway/http/people_json.h"
#include "gateway/http/people_routes.h"

namespace zkv::gateway::http {

namespace {

namespace asio = boost::asio;

constexpr std::size_t kLongestControlBody = 4'096;
constexpr std::uint64_t kLongestInviteSeconds = 1'000'000'000;
constexpr std::size_t kLongestWho = 256;

AtConsole console_of(const Incoming& incoming) { return {console_actor(incoming)}; }

boost::json::object approver_with_passkeys(const ApproverCard& card) {
  auto object = approver_json(card);
  boost::json::array passkeys;
  for (const auto& passkey : card.passkeys) passkeys.push_back(passkey_json(passkey));
  object["passkeys"] = std::move(passkeys);
  object["recovery_codes"] = card.recovery_codes;
  return object;
}

Result<NewApprover> read_console_invite(const std::string& text) {
  ZKV_TRY(const auto body, protocol::parse_object(text, kLongestControlBody));
  ZKV_TRY(auto wanted, read_new_approver(body));
  ZKV_TRY(const auto seconds, protocol::Members(body).number("seconds", kLongestInviteSeconds));
  wanted.lasts = std::chrono::seconds(seconds);
  return wanted;
}

Result<std::string> read_who(const std::string& text) {
  ZKV_TRY(const auto body, protocol::parse_object(text, kLongestControlBody));
  return protocol::Members(body).text("approver", kLongestWho);
}

asio::awaitable<Reply> list_for_console(Incoming incoming, Service& service) {
  Viewer by = console_of(incoming);
  const auto approvers = co_await service.people().approvers(std::move(by));
  if (!approvers) co_return problem(approvers.error());
  co_return json(200, list_json("approvers", *approvers, approver_with_passkeys));
}

asio::awaitable<Reply> invite_from_console(Incoming incoming, Service& service,
                                           const Result<passkey::RelyingParty>& party) {
  if (!party) co_return problem(party.error());
  auto wanted = read_console_invite(incoming.body);
  if (!wanted) co_return problem(wanted.error());
  Doer by = console_of(incoming);
  const auto made = co_await service.people().invite(std::move(*wanted), std::move(by));
  if (!made) co_return problem(made.error());
  co_return json(201, {{"name", made->invite.name},
                       {"role", made->invite.group},
                       {"url", registration_link(*party, made->token)},
                       {"expires_at", zkv::to_text(made->invite.expires_at)}});
}

asio::awaitable<Reply> list_invites_for_console(Incoming incoming, Service& service) {
  Viewer by = console_of(incoming);
  const auto invites = co_await service.people().invites(std::move(by));
  if (!invites) co_return problem(invites.error());
  co_return json(200, list_json("invites", *invites, invite_json));
}

asio::awaitable<Reply> withdraw_from_console(Incoming incoming, Service& service) {
  Viewer by = console_of(incoming);
  const auto ended = co_await service.people().withdraw_invite(std::move(incoming.parameter), std::move(by));
  if (!ended) co_return problem(ended.error());
  co_return json(200, invite_json(*ended));
}

asio::awaitable<Reply> revoke_from_console(Incoming incoming, Service& service) {
  auto who = read_who(incoming.body);
  if (!who) co_return problem(who.error());
  Doer by = console_of(incoming);
  const auto revoked = co_await service.people().revoke(std::move(*who), std::move(by));
  if (!revoked) co_return problem(revoked.error());
  co_return json(200, {{"name", revoked->name}, {"revoked_at", zkv::to_text(revoked->revoked_at)}});
}

}  // namespace

void add_people_control_routes(Router& router, Service& service, Result<passkey::RelyingParty> party) {
  router.add("GET", "/control/approvers",
             [&service](Incoming incoming) { return list_for_console(std::move(incoming), service); });
  router.add("POST", "/control/approvers", [&service, party = std::move(party)](Incoming incoming) {
    return invite_from_console(std::move(incoming), service, party);
  });
  router.add("GET", "/control/invites", [&service](Incoming incoming) {
    return list_invites_for_console(std::move(incoming), service);
  });
  router.add("POST", "/control/invites/*/withdrawal",
             [&service](Incoming incoming) { return withdraw_from_console(std::move(incoming), service); });
  router.add("POST", "/control/approvers/revoke",
             [&service](Incoming incoming) { return revoke_from_console(std::move(incoming), service); });
}

}  // namespace zkv::gateway::http
