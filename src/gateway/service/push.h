// Where people want to be told: their browsers' subscriptions to Web Push (docs/protocol-v2.md, "Web Push").
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <string>
#include <vector>

#include "base/result.h"
#include "gateway/channel/web_push_message.h"
#include "gateway/service/people.h"
#include "gateway/store/push_store.h"

namespace zkv::gateway {

/// Of one approver; beyond, the oldest gives way.
inline constexpr std::size_t kMostSubscriptions = 20;

struct NewSubscription {
  PushSubscription browser;
  std::string label;  ///< what its owner calls the device; as a passkey's
};

/// Thread-safe. Errors of every call, beside those said: as People; kUnsupported when the gateway was started
/// without Web Push.
class Push {
 public:
  virtual ~Push() = default;

  /// What browsers bind their subscriptions to.
  virtual boost::asio::awaitable<Result<PushPoint>> key(SessionKey key) = 0;
  /// One that this approver has for the same endpoint is renewed. Errors: kInvalid, kDenied "push-host".
  virtual boost::asio::awaitable<Result<Subscription>> subscribe(SessionKey key, NewSubscription wanted) = 0;
  /// One's own, oldest first.
  virtual boost::asio::awaitable<Result<std::vector<Subscription>>> subscriptions(SessionKey key) = 0;
  /// Errors: kNotFound, also for another's.
  virtual boost::asio::awaitable<Result<Subscription>> unsubscribe(SessionKey key, Bytes id) = 0;
  /// Begins to send one message to each of one's own, and says to how many. Errors: kNotFound for none.
  virtual boost::asio::awaitable<Result<std::size_t>> test(SessionKey key) = 0;
};

}  // namespace zkv::gateway
