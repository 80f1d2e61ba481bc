// One message to one browser: encrypted, signed, sent, and what its push service said (RFC 8030).
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "gateway/approval/request.h"
#include "gateway/channel/push_hosts.h"
#include "gateway/channel/web_push_message.h"
#include "net/http_client.h"

namespace zkv::gateway {

struct WebPushOptions {
  std::filesystem::path key_file;  ///< the gateway's key towards push services; made at first need
  std::string subject;             ///< how their operators reach ours, mailto: or https:; empty: not said
  std::vector<std::string> hosts;  ///< as PushHosts takes them
  std::string gateway;             ///< its name, as people know it
};

/// Somebody's browser; `id` and `approver` are the store's, in hex.
struct PushAddressee {
  std::string id;
  std::string approver;
  PushSubscription subscription;
};

struct PushLetter {
  PushAddressee to;
  RequestId request;  ///< that it tells of; empty: a test, or news of the person's own
  std::string text;
  std::string topic;  ///< a later message of the same one takes its place; empty: none
  Time expires_at;
};

enum class PushVerdict : std::uint8_t {
  kTaken,
  kGone,     ///< the browser is there no more
  kRefused,  ///< and would be again
  kLater,    ///< it may be taken later
  kDropped,  ///< nobody wants it any more
};

struct PushAnswer {
  PushVerdict verdict = PushVerdict::kDropped;
  std::string service;  ///< the push service's host, the only part of an endpoint that may be shown
  std::string why;      ///< unless taken
  std::optional<std::chrono::milliseconds> after = {};  ///< the wait that the service asks for
};

/// Thread-safe.
class PushSender {
 public:
  explicit PushSender(WebPushOptions options);

  /// The gateway's key; the same for ever, as browsers bind their subscriptions to it. Errors: those of
  /// load_or_make_private_file().
  Result<std::shared_ptr<const PushKey>> key();
  /// Whether messages may and can go there. Errors: as PushHosts, kInvalid for a key that is none.
  Result<> check(const PushSubscription& subscription);
  /// Blocks for at most 10 seconds, and not beyond the letter's life.
  PushAnswer send(const PushLetter& letter, const std::stop_token& stop);
  /// The topic of all messages about one host: says nothing to who does not have the gateway's key.
  Result<std::string> topic_of(const std::string& host);
  [[nodiscard]] const std::string& gateway() const { return options_.gateway; }

 private:
  Result<net::HttpRequest> request_for(const PushLetter& letter, const net::Address& address);

  WebPushOptions options_;
  PushHosts hosts_;
  net::HttpClient client_;
  std::mutex mutex_;
  std::shared_ptr<const PushKey> key_;
};

}  // namespace zkv::gateway
