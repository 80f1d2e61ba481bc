// Making a LUKS device, on what holds nothing yet.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"
#include "unlock/crypt.h"
#include "unlock/unlocker.h"

namespace zkv::unlock {

inline constexpr std::size_t kNewLuksKeySize = 64;

/// Whether the volume can be made as it is described. Errors: kInvalid.
Result<> check_new_luks(const NewVolume& volume);

/// Formats `volume.place` as LUKS2, with the UUID that the volume's settings name as its device. The key is
/// long and random, so that its key slot is derived cheaply. Errors: kExists (blkid(8) finds something
/// there), kNotFound (no such device, or no cryptsetup(8)), kIo.
Result<> format_luks(const NewVolume& volume, const CryptOptions& options);

/// Makes a filesystem of `type` (as in mkfs.ext4) on `device`. Errors: kNotFound, kIo.
Result<> make_filesystem(const std::string& type, const std::filesystem::path& device);

}  // namespace zkv::unlock
