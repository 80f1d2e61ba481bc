// How an approver is told that a host asks: one interface, one file for each kind of channel.
#pragma once

#include <memory>
#include <stop_token>
#include <string>

#include "base/result.h"
#include "base/secret_bytes.h"
#include "gateway/approval/request.h"

namespace zkv::gateway {

struct Notice {
  RequestId request;
  std::string host;     ///< the enrolled host's name; empty for a request of the first protocol
  std::string address;  ///< the asking client's
  SecretBytes pin;      ///< digits; empty when no PIN was made
  Time expires_at;
  bool is_drill = false;  ///< of an enrolled host: its boot is rehearsed
};

/// Used from several threads at once; calls block and end soon after `stop` is requested.
class Channel {
 public:
  Channel() = default;
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;
  virtual ~Channel() = default;

  [[nodiscard]] virtual std::string description() const = 0;
  /// Whether this channel carries a PIN back, so that one has to be made.
  [[nodiscard]] virtual bool wants_pin() const = 0;
  /// Whether it tells nobody but who looks at this machine's own log: it takes no turn of the hour's
  /// messages.
  [[nodiscard]] virtual bool is_console() const { return false; }
  /// Whether notify() only begins: what came of it is then said by the channel itself.
  [[nodiscard]] virtual bool reports_later() const { return false; }
  /// Errors: kDenied (the provider refuses the account or the number), kUnavailable, kInterrupted.
  virtual Result<> notify(const Notice& notice, const std::stop_token& stop) = 0;
};

}  // namespace zkv::gateway
