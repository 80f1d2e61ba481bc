// One decision.
#include "gateway/totp/attempt.h"

namespace zkv::gateway::totp {

bool is_locked(const Tries& tries, Time now) { return now < tries.locked_until; }

Judged judge(const Tries& tries, std::optional<std::int64_t> step, Time now) {
  if (is_locked(tries, now)) return {Outcome::kLocked, tries};
  if (step && *step > tries.last_step) return {Outcome::kTaken, {*step, 0, {}}};
  if (tries.wrong + 1 < kMostWrong) return {Outcome::kWrong, {tries.last_step, tries.wrong + 1, {}}};
  return {Outcome::kWrongAndLocked, {tries.last_step, 0, now + kLockFor}};
}

}  // namespace zkv::gateway::totp
