// How much one address, and all together, may ask of the gateway. Bounded in memory, safe between threads.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>

#include "gateway/settings/network.h"

namespace zkv::gateway::http {

/// What counts as one asker: an IPv4 address, or the first 64 bits of an IPv6 one.
AddressBytes limited_unit(const AddressBytes& address);

/// A token bucket for each address: `burst` at once, then one each `interval`. Keeps at most `capacity`
/// addresses; when so many are at their limit at the same time, further ones are refused.
class RateLimiter {
 public:
  using Clock = std::chrono::steady_clock;

  RateLimiter(Clock::duration interval, unsigned burst, std::size_t capacity = 65'536)
      : interval_(interval), burst_(burst), capacity_(capacity) {}

  /// Takes one token of `address`; false when it has none at `now`.
  bool allow(const AddressBytes& address, Clock::time_point now);
  [[nodiscard]] std::size_t size() const;

 private:
  bool make_room(Clock::time_point now);

  Clock::duration interval_;
  unsigned burst_;
  std::size_t capacity_;
  mutable std::mutex mutex_;
  std::map<AddressBytes, Clock::time_point> full_at_;  ///< when the address's bucket is full again
};

/// Counts open connections.
class ConnectionLimits {
 public:
  ConnectionLimits(unsigned total, unsigned per_address) : total_(total), per_address_(per_address) {}

  /// Counts one more of `address`; false (and nothing is counted) at a limit. `trusted` ones, such as a
  /// proxy, are counted in the total only.
  bool enter(const AddressBytes& address, bool trusted);
  void leave(const AddressBytes& address, bool trusted);

 private:
  unsigned total_;
  unsigned per_address_;
  std::mutex mutex_;
  unsigned open_ = 0;
  std::map<AddressBytes, unsigned> open_by_address_;
};

}  // namespace zkv::gateway::http
