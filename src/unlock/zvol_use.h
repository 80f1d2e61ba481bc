// Who keeps the key of ZFS block devices in use, where that can be seen.
#pragma once

#include <filesystem>
#include <string>

#include "unlock/zfs_mount.h"

namespace zkv::unlock {

/// Where filesystems on the block devices `zvols`, or on partitions of them, are mounted, in words for a
/// person; and where none is, that something else may use the devices. Empty when there are no `zvols`.
/// `devices` is /dev, `mount_table` /proc/self/mountinfo.
std::string use_of_zvols(const Names& zvols, const std::filesystem::path& devices,
                         const std::filesystem::path& mount_table);

}  // namespace zkv::unlock
