// Hosts, as people see and revoke them, and approve their next boots.
#include <utility>

#include "gateway/http/people_json.h"
#include "gateway/http/people_routes.h"

namespace zkv::gateway::http {

namespace {

namespace asio = boost::asio;

constexpr std::size_t kHostIdText = 2 * sizeof(crypto::Sha256);

/// By id alone: a name could have gone to another host meanwhile.
Result<std::string> host_id_of(const PersonalCall& call) {
  const auto& id = call.incoming.parameter;
  if (id.size() == kHostIdText && from_hex(id)) return id;
  return Error::not_found("there is no such host");
}

asio::awaitable<Reply> list_hosts_for_people(PersonalCall call, PeopleDoor& door) {
  const auto signed_in = co_await door.people().session(call.session);
  if (!signed_in) co_return refusal(signed_in.error());
  const auto hosts = co_await door.service().enrolments().hosts();
  if (!hosts) co_return refusal(hosts.error());
  const auto boots = co_await door.service().boots().live();
  if (!boots) co_return refusal(boots.error());
  const auto heartbeats = co_await door.service().heartbeats().last();
  if (!heartbeats) co_return refusal(heartbeats.error());
  boost::json::array array;
  for (const auto& host : *hosts) {
    auto object = host_json(host);
    add_next_boot(object, host.id, *boots);
    add_heartbeat(object, host.id, *heartbeats);
    array.push_back(std::move(object));
  }
  co_return json(200, {{"hosts", std::move(array)}});
}

asio::awaitable<Reply> revoke_host_for_owner(PersonalCall call, PeopleDoor& door) {
  auto id = host_id_of(call);
  if (!id) co_return refusal(id.error());
  auto confirmed = read_confirmed(call, door);
  if (!confirmed) co_return refusal(confirmed.error());
  passkey::Act act{"host.revoke", {*id}};
  const auto owner = co_await door.people().confirm(std::move(*confirmed), std::move(act), Role::kOwner);
  if (!owner) co_return refusal(owner.error());
  std::string by = actor_of(owner->approver);
  const auto host = co_await door.service().enrolments().revoke(std::move(*id), std::move(by));
  if (!host) co_return refusal(host.error());
  co_return empty(204);
}

asio::awaitable<Reply> approve_next_boot(PersonalCall call, PeopleDoor& door) {
  auto id = host_id_of(call);
  if (!id) co_return refusal(id.error());
  const auto seconds =
      call.members().number("seconds", static_cast<std::uint64_t>(protocol::kLongestNextBoot.count()));
  if (!seconds) co_return refusal(seconds.error());
  auto confirmed = read_confirmed(call, door);
  if (!confirmed) co_return refusal(confirmed.error());
  passkey::Act act{"boot.approve", {*id, std::to_string(*seconds)}};
  const auto done = co_await door.people().confirm(std::move(*confirmed), std::move(act), Role::kApprover);
  if (!done) co_return refusal(done.error());
  NewBootApproval wanted{std::move(*id),
                         std::chrono::seconds(static_cast<std::int64_t>(*seconds)),
                         actor_of(done->approver),
                         {done->evidence.begin(), done->evidence.end()}};
  const auto approval = co_await door.service().boots().approve(std::move(wanted));
  if (!approval) co_return refusal(approval.error());
  co_return json(201, boot_approval_json(*approval));
}

/// Takes power and gives none: a session is enough.
asio::awaitable<Reply> take_back_next_boot(PersonalCall call, PeopleDoor& door) {
  auto id = host_id_of(call);
  if (!id) co_return refusal(id.error());
  const auto signed_in = co_await door.people().session(call.session);
  if (!signed_in) co_return refusal(signed_in.error());
  std::string by = actor_of(signed_in->approver);
  const auto approval = co_await door.service().boots().take_back(std::move(*id), std::move(by));
  if (!approval) co_return refusal(approval.error());
  co_return empty(204);
}

}  // namespace

void add_host_calls(Router& router, PeopleDoor& door) {
  using Kind = PeopleDoor::Kind;
  door.add(router, "GET", "/v2/hosts", list_hosts_for_people);
  door.add(router, "POST", "/v2/hosts/*/revocation", revoke_host_for_owner, Kind::kDecision);
  door.add(router, "POST", "/v2/hosts/*/next-boot", approve_next_boot, Kind::kDecision);
  door.add(router, "DELETE", "/v2/hosts/*/next-boot", take_back_next_boot);
}

}  // namespace zkv::gateway::http
