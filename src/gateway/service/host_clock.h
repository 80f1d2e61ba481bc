// How far a host's clock may be from ours: docs/protocol-v2.md, "A request".
#pragma once

#include <chrono>

#include "base/time.h"

namespace zkv::gateway {

inline constexpr std::chrono::seconds kClockTolerance{300};

inline bool is_far(Time left, Time right) {
  return left < right - kClockTolerance || left > right + kClockTolerance;
}

/// Whether what a host says of `time` comes too late after `last`. A `last` ahead of us by more than the
/// tolerance was taken before our clock was put back, and does not count: the host would be refused until
/// then.
inline bool is_stale(Time time, Time last, Time now) { return time <= last && last <= now + kClockTolerance; }

}  // namespace zkv::gateway
