// One's own subscriptions to Web Push: docs/protocol-v2.md, "Web Push".
#include <utility>

#include "crypto/hash.h"
#include "gateway/http/people_json.h"
#include "gateway/http/people_routes.h"
#include "gateway/service/push_text.h"

namespace zkv::gateway::http {

namespace {

namespace asio = boost::asio;

constexpr std::size_t kLongestEndpoint = 2'048;
constexpr std::size_t kLongestDeviceText = 256;

boost::json::value words_or_null(const std::string& words) {
  return words.empty() ? boost::json::value(nullptr) : boost::json::value(words);
}

/// The endpoint's hash tells a browser which one is its own; the endpoint itself is told to nobody.
boost::json::object subscription_json(const Subscription& subscription) {
  return {{"id", to_base64(subscription.id, Base64::kUrlNoPadding)},
          {"hash", to_hex(crypto::sha256(bytes_of(subscription.endpoint)))},
          {"label", subscription.label},
          {"service", push_service_of(subscription.endpoint)},
          {"created_at", zkv::to_text(subscription.created_at)},
          {"last_told", time_or_null(subscription.told_at)},
          {"failure", words_or_null(subscription.failure)}};
}

Result<NewSubscription> read_new_subscription(const protocol::Members& members) {
  NewSubscription wanted;
  ZKV_TRY(wanted.label, members.text("label", kLongestDeviceText));
  ZKV_TRY(wanted.browser.endpoint, members.text("endpoint", kLongestEndpoint));
  ZKV_TRY(wanted.browser.key, members.base64_of<kPushPointSize>("p256dh"));
  ZKV_TRY(wanted.browser.auth, members.base64_of<kPushAuthSize>("auth"));
  return wanted;
}

asio::awaitable<Reply> show_key(PersonalCall call, PeopleDoor& door) {
  const auto key = co_await door.service().push().key(call.session);
  if (!key) co_return refusal(key.error());
  co_return json(200, {{"key", to_base64(*key, Base64::kUrlNoPadding)}});
}

asio::awaitable<Reply> subscribe(PersonalCall call, PeopleDoor& door) {
  auto wanted = read_new_subscription(call.members());
  if (!wanted) co_return refusal(wanted.error());
  const auto made = co_await door.service().push().subscribe(call.session, std::move(*wanted));
  if (!made) co_return refusal(made.error());
  co_return json(201, subscription_json(*made));
}

asio::awaitable<Reply> list_subscriptions(PersonalCall call, PeopleDoor& door) {
  const auto all = co_await door.service().push().subscriptions(call.session);
  if (!all) co_return refusal(all.error());
  co_return json(200, list_json("subscriptions", *all, subscription_json));
}

asio::awaitable<Reply> unsubscribe(PersonalCall call, PeopleDoor& door) {
  auto id = read_path_id(call.incoming.parameter);
  if (!id) co_return refusal(id.error());
  const auto ended = co_await door.service().push().unsubscribe(call.session, std::move(*id));
  if (!ended) co_return refusal(ended.error());
  co_return empty(204);
}

asio::awaitable<Reply> send_test(PersonalCall call, PeopleDoor& door) {
  const auto devices = co_await door.service().push().test(call.session);
  if (!devices) co_return refusal(devices.error());
  co_return json(202, {{"devices", *devices}});
}

}  // namespace

void add_push_calls(Router& router, PeopleDoor& door) {
  using Kind = PeopleDoor::Kind;
  door.add(router, "GET", "/v2/push/key", show_key);
  door.add(router, "GET", "/v2/push/subscriptions", list_subscriptions);
  door.add(router, "POST", "/v2/push/subscriptions", subscribe);
  door.add(router, "DELETE", "/v2/push/subscriptions/*", unsubscribe);
  door.add(router, "POST", "/v2/push/test", send_test, Kind::kDecision);
}

}  // namespace zkv::gateway::http
