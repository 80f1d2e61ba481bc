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

/// Whether the volume's device is one that its key may be given to, for those who leave the opening to
/// others: by its header, and by check_fstab_for_others(). Nothing to see is nothing wrong with kinds that
/// show no header. Errors: kNotFound (the device, or a header on it), kDenied (a header that protects
/// nothing, a line of fstab that makes others root), kUnsupported (no libcryptsetup), kUnavailable (the
/// device does not answer), kInvalid, kIo.
Result<> check_header(const Unlocker::Volume& volume, const CryptOptions& options,
                      const std::stop_token& stop);

}  // namespace zkv::unlock
