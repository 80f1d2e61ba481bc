// The seed's repository file: a Fernet token around a JSON object of volume name → key text.
#pragma once

#include <span>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "repository/volume_keys.h"

namespace zkv::repository {

/// Whether the file begins as every Fernet token of this age of the world does.
bool is_seed_file(std::span<const std::uint8_t> file);

/// What the file's encryption covers. Errors: kWrongKey (also for a key of another shape), kCorrupt.
Result<SecretBytes> decrypt_seed_file(std::span<const std::uint8_t> file, const SecretBytes& key_text);
/// The volumes that such text tells of. Errors: kCorrupt.
Result<VolumeKeys> read_seed_text(SecretBytes text);
/// Both. Errors: kWrongKey (also for a key of another shape), kCorrupt.
Result<VolumeKeys> open_seed_file(std::span<const std::uint8_t> file, const SecretBytes& key_text);

/// Errors: kInvalid (not the shape of a key).
Result<std::string> write_seed_file(const VolumeKeys& keys, const SecretBytes& key_text, Time made);

/// Why the volumes cannot go into the seed's format without loss. Errors: kUnsupported.
Result<> check_fits_seed_file(const VolumeKeys& keys);

}  // namespace zkv::repository
