// Giving a LUKS device another key, and taking the old one away: key slots come before others go.
#pragma once

#include "unlock/crypt_kind.h"

namespace zkv::unlock {

/// As Unlocker::check_change(): the settings must name neither a key slot nor the cipher's own key, and the
/// stored key must be all that is used.
Result<> check_luks_change(const CryptKind& kind, const VolumeRef& volume);

/// As Unlocker::give_key() and take_key().
Result<> give_luks_key(const CryptKind& kind, const Unlocker::Volume& volume,
                       std::span<const std::uint8_t> key, const CryptOptions& options);
Result<> take_luks_key(const CryptKind& kind, const Unlocker::Volume& volume,
                       std::span<const std::uint8_t> key, const CryptOptions& options);

}  // namespace zkv::unlock
