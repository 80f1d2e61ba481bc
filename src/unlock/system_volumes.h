// The volumes that the running system lies on: whatever opened them did so before any zkv could, and has to
// be able to at the next boot.
#pragma once

#include <chrono>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "unlock/mount_table.h"
#include "unlock/unlocker.h"
#include "unlock/zfs_mount.h"

namespace zkv::unlock {

/// Where the system says what lies on what.
struct StoragePlaces {
  std::filesystem::path mount_table = "/proc/self/mountinfo";
  std::filesystem::path blocks = "/sys/class/block";
  std::filesystem::path numbers = "/sys/dev/block";
  std::filesystem::path devices = "/dev";
  std::string pool_program = "zpool";       ///< a name or a path
  std::chrono::milliseconds limit{30'000};  ///< for one call of it
  std::filesystem::path btrfs = "/sys/fs/btrfs";
};

/// The paths of what an imported pool lies on, as zpool(8) has them. Errors: those of zpool(8). Source:
/// zpool-list(8).
Result<std::vector<std::string>> paths_of_pool(const std::string& pool, const StoragePlaces& places = {});

/// The names of cryptsetup's mappings that an imported pool lies on; none where that cannot be told.
std::vector<std::string> mappings_under_pool(const std::string& pool, const StoragePlaces& places = {});

class SystemVolumes {
 public:
  /// What / and /usr lie on, and each of `files` that is there. Errors: kIo (no table of mounts), and those
  /// of zpool(8) where one of them lies in a pool.
  static Result<SystemVolumes> look(const std::vector<std::filesystem::path>& files,
                                    const StoragePlaces& places = {});

  /// Whether something of it lies on the volume; `kind` is as Unlocker::name().
  [[nodiscard]] bool hold(std::string_view kind, const VolumeRef& volume) const;

 private:
  explicit SystemVolumes(StoragePlaces places) : places_(std::move(places)) {}

  Result<> add_file(const std::filesystem::path& file, const std::vector<Mounted>& mounts);
  /// Those of the btrfs that the device is one of, too.
  Result<> add_filesystem(const std::string& node, const std::vector<Mounted>& mounts);
  Result<> add_dataset(std::string name, const std::vector<Mounted>& mounts);
  Result<> add_node(const std::string& node, const std::vector<Mounted>& mounts);

  StoragePlaces places_;
  std::set<std::string> nodes_;     ///< block devices by the kernel's names, as in "dm-0"
  std::set<std::string> mappings_;  ///< the device mapper's, as in /dev/mapper/NAME
  Names datasets_;                  ///< those of ZFS, and all that each lies in
};

}  // namespace zkv::unlock
