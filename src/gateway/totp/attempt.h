// What becomes of a code that somebody gives: each serves once, and wrong ones in a row lock. Pure: no clock,
// no store; the caller brings both.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "base/time.h"

namespace zkv::gateway::totp {

/// Wrong codes in a row after which no code is taken for a while.
inline constexpr unsigned kMostWrong = 5;
inline constexpr std::chrono::minutes kLockFor{15};

/// What is remembered of one person's codes.
struct Tries {
  std::int64_t last_step = 0;  ///< of the last code that was taken: that one and those before serve no more
  unsigned wrong = 0;          ///< in a row
  Time locked_until;           ///< the epoch, or a time gone by: not locked
};

enum class Outcome : std::uint8_t {
  kTaken,
  kWrong,
  kWrongAndLocked,  ///< the last of the wrong ones
  kLocked,          ///< not looked at, right or wrong
};

struct Judged {
  Outcome outcome = Outcome::kLocked;
  Tries next;
};

[[nodiscard]] bool is_locked(const Tries& tries, Time now);
/// `step` is the one whose code was given, if it is one after `tries.last_step`.
[[nodiscard]] Judged judge(const Tries& tries, std::optional<std::int64_t> step, Time now);

}  // namespace zkv::gateway::totp
