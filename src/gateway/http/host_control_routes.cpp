// Hosts as JSON, and invites.
#include "gateway/http/host_control_routes.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "base/time.h"
#include "gateway/http/people_json.h"

namespace zkv::gateway::http {

namespace {

namespace asio = boost::asio;
namespace json_lib = boost::json;

constexpr std::size_t kLongestBody = 4'096;
constexpr std::size_t kLongestWord = 200;
constexpr std::uint64_t kMostSeconds = 1'000'000'000;

json_lib::object to_json(const Host& host) {
  return {{"id", host.id},
          {"name", host.name},
          {"group", host.group},
          {"identity", protocol::is_of_tpm(host.identity) ? "TPM (P-256)" : "file (Ed25519)"},
          {"enrolled_at", to_text(host.enrolled_at)},
          {"last_seen", time_or_null(host.seen_at)},
          {"last_address", host.address},
          {"last_kernel", host.kernel},
          {"last_release", time_or_null(host.released_at)},
          {"revoked_at", time_or_null(host.revoked_at)},
          {"share_destroyed_at", time_or_null(host.destroyed_at)},
          {"next_boot", nullptr},
          {"heartbeat", nullptr}};
}

Reply reply_with(const Result<Host>& host) {
  if (!host) return problem(host.error());
  return json(200, json_lib::serialize(to_json(*host)));
}

Result<NewInvite> read_invite(const std::string& body) {
  ZKV_TRY(const auto object, protocol::parse_object(body, kLongestBody));
  const protocol::Members members(object);
  NewInvite invite;
  ZKV_TRY(invite.name, members.text("name", kLongestWord));
  ZKV_TRY(invite.group, members.text("group", kLongestWord));
  ZKV_TRY(const auto seconds, members.number("seconds", kMostSeconds));
  invite.lasts = std::chrono::seconds(seconds);
  return invite;
}

asio::awaitable<Reply> list_hosts(Service& service) {
  const auto hosts = co_await service.enrolments().hosts();
  if (!hosts) co_return problem(hosts.error());
  const auto boots = co_await service.boots().live();
  if (!boots) co_return problem(boots.error());
  const auto heartbeats = co_await service.heartbeats().last();
  if (!heartbeats) co_return problem(heartbeats.error());
  json_lib::array array;
  for (const auto& host : *hosts) {
    auto object = to_json(host);
    add_next_boot(object, host.id, *boots);
    add_heartbeat(object, host.id, *heartbeats);
    array.push_back(std::move(object));
  }
  co_return json(200, json_lib::serialize(json_lib::object{{"hosts", std::move(array)}}));
}

asio::awaitable<Reply> show_host(Incoming incoming, Service& service) {
  const auto host = co_await service.enrolments().host(std::move(incoming.parameter));
  if (!host) co_return problem(host.error());
  const auto boots = co_await service.boots().live();
  if (!boots) co_return problem(boots.error());
  const auto heartbeats = co_await service.heartbeats().last();
  if (!heartbeats) co_return problem(heartbeats.error());
  auto object = to_json(*host);
  add_next_boot(object, host->id, *boots);
  add_heartbeat(object, host->id, *heartbeats);
  co_return json(200, json_lib::serialize(object));
}

asio::awaitable<Reply> revoke_host(Incoming incoming, Service& service) {
  std::string by = console_actor(incoming);
  const auto host = co_await service.enrolments().revoke(std::move(incoming.parameter), std::move(by));
  co_return reply_with(host);
}

asio::awaitable<Reply> rename_host(Incoming incoming, Service& service) {
  std::string by = console_actor(incoming);
  const auto host = co_await service.enrolments().rename(std::move(incoming.parameter),
                                                         std::move(incoming.body), std::move(by));
  co_return reply_with(host);
}

asio::awaitable<Reply> invite_host(Incoming incoming, Service& service,
                                   const std::function<std::string(SecretBytes)>& link_for) {
  auto wanted = read_invite(incoming.body);
  if (!wanted) co_return problem(wanted.error());
  std::string by = console_actor(incoming);
  auto made = co_await service.enrolments().invite(std::move(*wanted), std::move(by));
  if (!made) co_return problem(made.error());
  const auto expires = to_text(made->invite.expires_at);
  co_return json(201, json_lib::serialize(json_lib::object{{"name", made->invite.name},
                                                           {"url", link_for(std::move(made->token))},
                                                           {"expires_at", expires}}));
}

asio::awaitable<Reply> approve_boot_at_console(Incoming incoming, Service& service) {
  const auto body = protocol::parse_object(incoming.body, kLongestBody);
  if (!body) co_return problem(body.error());
  const auto seconds = protocol::Members(*body).number("seconds", kMostSeconds);
  if (!seconds) co_return problem(seconds.error());
  NewBootApproval wanted{std::move(incoming.parameter),
                         std::chrono::seconds(static_cast<std::int64_t>(*seconds)), console_actor(incoming)};
  const auto approval = co_await service.boots().approve(std::move(wanted));
  if (!approval) co_return problem(approval.error());
  co_return json(201, boot_approval_json(*approval));
}

asio::awaitable<Reply> take_back_boot_at_console(Incoming incoming, Service& service) {
  std::string by = console_actor(incoming);
  const auto approval = co_await service.boots().take_back(std::move(incoming.parameter), std::move(by));
  if (!approval) co_return problem(approval.error());
  co_return json(200, boot_approval_json(*approval));
}

}  // namespace

void add_host_control_routes(Router& router, Service& service,
                             std::function<std::string(SecretBytes token)> link_for) {
  router.add("GET", "/control/hosts", [&service](Incoming /*incoming*/) { return list_hosts(service); });
  router.add("GET", "/control/hosts/*",
             [&service](Incoming incoming) { return show_host(std::move(incoming), service); });
  router.add("POST", "/control/hosts/*/revoke",
             [&service](Incoming incoming) { return revoke_host(std::move(incoming), service); });
  router.add("POST", "/control/hosts/*/rename",
             [&service](Incoming incoming) { return rename_host(std::move(incoming), service); });
  router.add("POST", "/control/hosts/*/next-boot",
             [&service](Incoming incoming) { return approve_boot_at_console(std::move(incoming), service); });
  router.add("DELETE", "/control/hosts/*/next-boot", [&service](Incoming incoming) {
    return take_back_boot_at_console(std::move(incoming), service);
  });
  router.add("POST", "/control/invites", [&service, link_for = std::move(link_for)](Incoming incoming) {
    return invite_host(std::move(incoming), service, link_for);
  });
}

}  // namespace zkv::gateway::http
