// A secret as a file in memory: whose it is, who can read it, and that it never reaches a disk or another's
// hands.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <span>

#include "base/result.h"
#include "repository/volume_keys.h"

namespace zkv::unlock {

struct SecretPlace {
  std::filesystem::path path;  ///< empty: no file is wanted
  uid_t owner = 0;
  gid_t group = 0;
  mode_t mode = 0400;
};

/// What the settings ask for: mount point, and of the options owner=, group= (names or numbers; else those of
/// this process) and mode= (octal, at most 0660; else 0400). Errors: kInvalid, kNotFound (no such user).
Result<SecretPlace> secret_place(const repository::VolumeSettings& settings);

/// Whether the secret could be written there, as far as it can be known without changing anything.
/// Errors: those of open_guarded_directory(), and kUnsupported (it lies on a disk).
Result<> check_secret_place(const SecretPlace& place);

/// Whether there is a file that belongs to whom it should, with the right mode.
bool is_secret_there(const SecretPlace& place);

enum class SecretWritten { kNow, kBefore };
/// Makes the file, or replaces one that has the same owner and mode and other contents; at every moment the
/// path is nothing or a whole secret. Directories that are missing are made. Errors: as check_secret_place();
/// kExists (something else is there), kIo.
Result<SecretWritten> write_secret(const SecretPlace& place, std::span<const std::uint8_t> secret);

/// Overwrites the file and removes it; false when there was none. Errors: as write_secret().
Result<bool> remove_secret(const SecretPlace& place);

}  // namespace zkv::unlock
