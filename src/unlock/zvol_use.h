// Who keeps the key of ZFS block devices in use, where that can be seen.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "unlock/unlocker.h"
#include "unlock/zfs.h"
#include "unlock/zfs_program.h"

namespace zkv::unlock {

/// The link under `devices` (/dev) that udev makes for a block device of ZFS. Source: OpenZFS zvol_id, which
/// writes a blank as '+'.
std::filesystem::path zvol_link(const std::filesystem::path& devices, std::string name);

/// Adds to those of `outcomes` whose places are in `busy` what keeps their keys in use, where all filesystems
/// that hang on them are unmounted.
void name_uses(const ZfsProgram& program, const ZfsOptions& options, const std::vector<std::size_t>& busy,
               std::vector<Outcome>& outcomes);

}  // namespace zkv::unlock
