// Web Push: approvers' browsers show that a host asks, even when the page is closed.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "gateway/channel/channel.h"
#include "gateway/channel/push_audience.h"
#include "gateway/channel/push_courier.h"
#include "gateway/channel/push_sender.h"

namespace zkv::gateway {

/// Something that happened to one person's ways in, which that person is told of; or to a host, of which all
/// are.
struct PersonalNews {
  enum class What : std::uint8_t {
    kCodesLocked,   ///< after wrong codes of an authenticator app
    kRecoveryUsed,  ///< one of the recovery codes registered a passkey
    kHostFindings,  ///< a host's drift guard, which had found nothing, has
  };
  What what = What::kCodesLocked;
  std::string address;     ///< of whoever did it, as text
  std::string host = {};   ///< its name, where it is about one
  std::string words = {};  ///< what its guard found, in a line
};

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
  /// Has these told, as good as at once or within half a day.
  Result<> tell(const PersonalNews& news, const std::vector<PushAddressee>& addressees);
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
