// A whole version 2 file: header and slots in the clear, the body sealed, all of it bound together.
#pragma once

#include <span>
#include <vector>

#include "base/encoding.h"
#include "base/result.h"
#include "repository/header.h"
#include "repository/slot.h"
#include "repository/volume_keys.h"

namespace zkv::repository {

/// What can be read without a key; believed only once the body has opened.
struct Outside {
  Header header;
  std::vector<Slot> slots;
};

struct Version2 {
  Outside outside;
  SecretBytes repository_key;
  VolumeKeys keys;
  std::uint32_t opened_by = 0;     ///< id of the slot that the secret opened
  std::uint32_t highest_slot = 0;  ///< that it is known to have had: no number is given twice
};

bool is_version2(std::span<const std::uint8_t> file);

/// Errors: kCorrupt, kUnsupported (a later format version).
Result<Outside> read_outside(std::span<const std::uint8_t> file);

/// Tries `secret` on each slot that fits its form: recovery and classic slots first, and passphrase slots
/// (which cost time) only when none of those opens. Errors: kWrongKey (no slot opens), kCorrupt (a slot opens
/// and the rest is not what was written with it), kUnsupported, kUnavailable (memory).
Result<Version2> open_version2(std::span<const std::uint8_t> file, const SecretBytes& secret);

/// As open_version2(), by the shares of the slots of one gateway alone. Errors: also kNotFound (it has no
/// slot).
Result<Version2> open_version2_by_gateway(std::span<const std::uint8_t> file, const GatewayId& gateway,
                                          const SecretBytes& shares);

/// A new repository without slots or volumes.
Version2 new_version2();

/// The bytes of the file, sealed under a fresh nonce.
Bytes write_version2(const Version2& repository);

}  // namespace zkv::repository
