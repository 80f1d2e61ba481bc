// Signs of life of enrolled hosts, with what their drift guards found (docs/protocol-v2.md, "Heartbeats").
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "gateway/store/host_store.h"
#include "protocol/envelope.h"

namespace zkv::gateway {

/// A host whose guard runs daily, and that was not heard for so long, is overdue.
inline constexpr std::chrono::hours kOverdueAfter{36};

inline bool is_overdue(const LastHeartbeat& heartbeat, Time now) {
  return heartbeat.at + kOverdueAfter <= now;
}

enum class BeatVerdict : std::uint8_t {
  kTaken,
  kUnknownHost,  ///< no host of that key, or one that is revoked
  kWrongClock,   ///< its time is too far from ours
  kStale,        ///< not newer than the host's last
  kTooMany,      ///< of this host within an hour
};

struct BeatAnswer {
  BeatVerdict verdict = BeatVerdict::kUnknownHost;
  std::string envelope = {};  ///< protocol::HeartbeatAnswer in JSON, with kTaken
};

/// Thread-safe. Errors of every call, beside those said: kIo, kInterrupted (the gateway stops).
class Heartbeats {
 public:
  virtual ~Heartbeats() = default;

  /// Keeps it in place of the host's last, and looks whether the vault has its share, which is released to
  /// nobody. Errors: kInvalid (its form), kDenied (its signature, another gateway, another repository).
  virtual boost::asio::awaitable<Result<BeatAnswer>> beat(protocol::Envelope envelope,
                                                          std::string address) = 0;
  /// The last of each host that ever sent one.
  virtual boost::asio::awaitable<Result<std::vector<LastHeartbeat>>> last() = 0;
};

}  // namespace zkv::gateway
