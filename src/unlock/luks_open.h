// Opening LUKS volumes, or trying their keys: all that can be, at once.
#pragma once

#include <span>
#include <stop_token>
#include <vector>

#include "unlock/luks.h"

namespace zkv::unlock {

/// As Unlocker::open().
std::vector<Outcome> open_luks(std::span<const Unlocker::Volume> volumes, Attempt attempt,
                               const LuksOptions& options, const std::stop_token& stop);

}  // namespace zkv::unlock
