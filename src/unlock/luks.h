// LUKS devices, versions 1 and 2, opened by a key slot.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "unlock/unlocker.h"

namespace zkv::unlock {

struct LuksOptions {
  std::vector<std::string> libraries{"libcryptsetup.so.12"};  ///< the first found is used
  std::chrono::milliseconds header_limit{20'000};             ///< for reading the header of one device
  std::chrono::milliseconds limit{240'000};                   ///< for opening it, its key derivation too
  std::chrono::milliseconds device_wait{30'000};              ///< for devices that udev has not found yet
  std::string mount = "mount";                                ///< programs: names or paths
  std::string umount = "umount";
  std::string blkid = "blkid";
  std::filesystem::path devices = "/dev";
  std::filesystem::path blocks = "/sys/class/block";
  std::filesystem::path mount_table = "/proc/self/mountinfo";
  std::filesystem::path fstab = "/etc/fstab";
};

std::unique_ptr<Unlocker> make_luks_unlocker(LuksOptions options);

}  // namespace zkv::unlock
