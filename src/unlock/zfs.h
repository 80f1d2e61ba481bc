// ZFS filesystems and block devices with a key of their own (encryption roots).
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "unlock/unlocker.h"
#include "unlock/unmounting.h"

namespace zkv::unlock {

/// How keys reach the kernel.
enum class Road {
  kAuto,     ///< libzfs_core, or the program where that is not possible
  kLibrary,  ///< libzfs_core only (`--via lzc`)
  kProgram,  ///< `zfs load-key` only (`--via zfs`)
};

struct ZfsOptions {
  Road road = Road::kAuto;
  std::vector<std::string> libraries{"libzfs_core.so.3", "libzfs_core.so.1"};  ///< the first found is used
  std::vector<std::string> mount_libraries{
      "libzfs.so.4"};                        ///< the same of libzfs: of those whose calls are known
  std::string program = "zfs";               ///< a name or a path
  std::string pool_program = "zpool";        ///< the same
  std::chrono::milliseconds limit{120'000};  ///< for one call of the program, or one turn of the library
  std::filesystem::path devices = "/dev";
  std::filesystem::path mount_table = "/proc/self/mountinfo";
  Unmount unmount = unmount_place;
};

/// Whether the volume's pool is imported and exported with it.
bool brings_its_pool(const repository::VolumeSettings& settings);

std::unique_ptr<Unlocker> make_zfs_unlocker(ZfsOptions options);

}  // namespace zkv::unlock
