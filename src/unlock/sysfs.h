// Small files and folders of sysfs.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace zkv::unlock {

/// Empty where there is no such file.
std::string first_line(const std::filesystem::path& path);
/// Sorted; none where there is no such folder.
std::vector<std::string> names_in(const std::filesystem::path& directory);

/// The kernel's names of all devices of the mounted btrfs that the device with that name is one of; none
/// where it is of none. `filesystems` is /sys/fs/btrfs. Source: Linux fs/btrfs/sysfs.c.
std::vector<std::string> devices_of_btrfs(const std::filesystem::path& filesystems, const std::string& node);

}  // namespace zkv::unlock
