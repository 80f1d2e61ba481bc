// Opening dm-crypt volumes of every kind, or trying their keys: all that can be, at once.
#pragma once

#include <span>
#include <stop_token>
#include <vector>

#include "unlock/crypt_kind.h"

namespace zkv::unlock {

/// As Unlocker::open(); the volumes are of kinds that crypt_kind_of() knows.
std::vector<Outcome> open_crypt(std::span<const Unlocker::Volume> volumes, Attempt attempt,
                                const CryptOptions& options, const std::stop_token& stop);

}  // namespace zkv::unlock
