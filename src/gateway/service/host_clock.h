// How far a host's clock may be from ours: docs/protocol-v2.md, "A request".
#pragma once

#include <chrono>

#include "base/time.h"

namespace zkv::gateway {

inline constexpr std::chrono::seconds kClockTolerance{300};

inline bool is_far(Time left, Time right) {
  return left < right - kClockTolerance || left > right + kClockTolerance;
}

}  // namespace zkv::gateway
