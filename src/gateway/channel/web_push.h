// Web Push: approvers' browsers show that a host asks, even when the page is closed.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "gateway/channel/channel.h"
#include "gateway/channel/push_audience.h"
#include "gateway/channel/push_courier.h"
#include "gateway/channel/push_sender.h"

namespace zkv::gateway {

/// Writes the messages and has them carried. Made before the service, which then opens it. Thread-safe.
class PushPost {
 public:
  explicit PushPost(WebPushOptions options);

  /// From now on these are told; they outlive close().
  void open(PushAudience& audience) { audience_ = &audience; }
  /// Ends what runs; nothing is sent any more.
  void close() { courier_.close(); }

  /// As PushSender.
  Result<std::shared_ptr<const PushKey>> key() { return sender_.key(); }
  Result<> check(const PushSubscription& subscription) { return sender_.check(subscription); }

  /// Has all told of a request, and returns before they are: the audience hears what became of it. Errors:
  /// those of PushAudience::addressees(), kInterrupted when it is not open.
  Result<> tell(const Notice& notice);
  /// Has a message sent that says that messages arrive.
  Result<> test(const std::vector<PushAddressee>& addressees);

 private:
  void submit(PushLetter letter, PushCourier::Done done);

  PushSender sender_;
  PushAudience* audience_ = nullptr;
  PushCourier courier_;
};

struct WebPushChannelOptions {
  std::shared_ptr<PushPost> post;  ///< never null
};
Result<std::unique_ptr<Channel>> make_web_push_channel(WebPushChannelOptions options);

}  // namespace zkv::gateway
