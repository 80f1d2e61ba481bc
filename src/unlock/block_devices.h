// Block devices by the names that people give them, and those that hold LUKS.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace zkv::unlock {

/// The device that `name` stands for, with every link followed: a path, or UUID=, LABEL=, PARTUUID= or
/// PARTLABEL= with its value, which udev's links under `devices` (/dev) tell. Errors: kNotFound, kInvalid
/// (not such a name).
Result<std::filesystem::path> find_device(std::string_view name, const std::filesystem::path& devices);
/// Whether find_device() could find it, were it there. Errors: kInvalid.
Result<> check_device_name(std::string_view name);

/// The file that a loop device shows; empty for all else. `blocks` is /sys/class/block. Source: loop(4).
std::filesystem::path file_of_loop(const std::filesystem::path& device, const std::filesystem::path& blocks);

struct LuksDevice {
  std::filesystem::path path;
  std::string uuid;
};
/// All of `blocks` (/sys/class/block) that hold a LUKS header and that this user may read.
std::vector<LuksDevice> find_luks_devices(const std::filesystem::path& blocks,
                                          const std::filesystem::path& devices);

}  // namespace zkv::unlock
