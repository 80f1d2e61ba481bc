// Opening volumes of which some are being given another key: with the key, and where that is not theirs with
// the next one.
#pragma once

#include "unlock/unlocker.h"

namespace zkv::unlock {

/// As Unlocker::open(); the outcome is that of the key that opens the volume, else that of its first.
std::vector<Outcome> open_by_either_key(Unlocker& unlocker, std::span<const Unlocker::Volume> volumes,
                                        Attempt attempt, const std::stop_token& stop);

}  // namespace zkv::unlock
