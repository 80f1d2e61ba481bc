// Requests as JSON, and the service's errors as problem documents.
#include "gateway/http/control_routes.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "base/time.h"

namespace zkv::gateway::http {

namespace {

namespace asio = boost::asio;
namespace json_lib = boost::json;

constexpr std::size_t kReasonLimit = 500;

json_lib::object to_json(const Request& request) {
  const std::string state(gateway::to_text(request.state));
  return {{"id", request.id.text},
          {"state", state},
          {"address", request.address},
          {"created_at", zkv::to_text(request.created_at)},
          {"expires_at", zkv::to_text(request.expires_at)},
          {"wrong_pins", request.wrong_pins},
          {"decided_by", request.decided_by},
          {"reason", request.reason}};
}

/// The same with what an enrolled host says of itself.
json_lib::object to_json(const RequestCard& card) {
  auto object = to_json(card.request);
  object["host"] = card.host ? card.host->name : "";
  if (!card.message || !card.ask) return object;
  object["number"] = card.message->number;
  object["volumes"] = json_lib::array(card.message->volumes.begin(), card.message->volumes.end());
  const auto& evidence = card.message->evidence;
  object["group"] = card.host ? card.host->group : "";
  object["hostname"] = evidence.hostname;
  object["kernel"] = evidence.kernel;
  object["boot_id"] = evidence.boot_id;
  object["uptime"] = evidence.uptime;
  object["addresses"] = json_lib::array(evidence.addresses.begin(), evidence.addresses.end());
  object["planned"] = evidence.is_planned;
  object["tpm"] = evidence.has_tpm;
  object["first_from_address"] = card.ask->is_first_from_address;
  object["kernel_changed"] = card.ask->is_new_kernel;
  object["replaces_other_boot"] = card.ask->replaces_other_boot;
  if (card.message->next_boot) object["next_boot"] = card.message->next_boot->count();
  if (card.message->is_drill) object["drill"] = true;
  if (card.message->successor) object["new_keys"] = true;
  return object;
}

Reply reply_with(const Result<Request>& request) {
  if (!request) return problem(request.error());
  return json(200, json_lib::serialize(to_json(*request)));
}

asio::awaitable<Result<CardList>> listed(bool also_ended, Service& service) {
  if (!also_ended) co_return co_await service.open_requests();
  HistoryAsk ask;
  ask.limit = kMostListed;
  co_return co_await service.history(std::move(ask));
}

asio::awaitable<Reply> list(Incoming incoming, Service& service) {
  const auto requests = co_await listed(incoming.query() == "all=1", service);
  if (!requests) co_return problem(requests.error());
  json_lib::array array;
  for (const auto& request : requests->cards) array.push_back(to_json(request));
  json_lib::array damaged(requests->damaged.begin(), requests->damaged.end());
  co_return json(200, json_lib::serialize(
                          json_lib::object{{"requests", std::move(array)}, {"damaged", std::move(damaged)}}));
}

// Arguments of awaited calls are named first: GCC 12 destroys temporaries among them twice.
asio::awaitable<Reply> show(Incoming incoming, Service& service) {
  RequestId id{incoming.parameter};
  const auto found = co_await service.request(std::move(id));
  if (!found) co_return problem(found.error());
  co_return json(200, json_lib::serialize(to_json(*found)));
}

asio::awaitable<Reply> approve(Incoming incoming, Service& service) {
  RequestId id{incoming.parameter};
  std::string by = console_actor(incoming);
  const auto approved = co_await service.approve(std::move(id), std::move(by));
  co_return reply_with(approved);
}

asio::awaitable<Reply> deny(Incoming incoming, Service& service) {
  if (incoming.body.size() > kReasonLimit) co_return problem(413, "the reason is longer than 500 bytes");
  RequestId id{incoming.parameter};
  std::string by = console_actor(incoming);
  const auto denied = co_await service.deny(std::move(id), std::move(by), std::move(incoming.body));
  co_return reply_with(denied);
}

asio::awaitable<Reply> discard(Incoming incoming, Service& service) {
  RequestId id{incoming.parameter};
  std::string by = console_actor(incoming);
  const auto discarded = co_await service.discard(std::move(id), std::move(by));
  if (!discarded) co_return problem(discarded.error());
  co_return json(200, json_lib::serialize(json_lib::object{{"id", discarded->text}, {"state", "discarded"}}));
}

asio::awaitable<Reply> approve_all(Incoming incoming, Service& service) {
  std::string by = console_actor(incoming);
  const auto count = co_await service.approve_all(std::move(by));
  if (!count) co_return problem(count.error());
  co_return json(200, json_lib::serialize(json_lib::object{{"approved", *count}}));
}

}  // namespace

void add_control_routes(Router& router, Service& service) {
  router.add("GET", "/control/requests",
             [&service](Incoming incoming) { return list(std::move(incoming), service); });
  router.add("GET", "/control/requests/*",
             [&service](Incoming incoming) { return show(std::move(incoming), service); });
  router.add("POST", "/control/requests/*/approve",
             [&service](Incoming incoming) { return approve(std::move(incoming), service); });
  router.add("POST", "/control/requests/*/deny",
             [&service](Incoming incoming) { return deny(std::move(incoming), service); });
  router.add("POST", "/control/requests/*/discard",
             [&service](Incoming incoming) { return discard(std::move(incoming), service); });
  router.add("POST", "/control/approve-all",
             [&service](Incoming incoming) { return approve_all(std::move(incoming), service); });
}

}  // namespace zkv::gateway::http
