// Who keeps the key of ZFS block devices in use, where that can be seen.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "unlock/mount_table.h"
#include "unlock/zfs_mount.h"

namespace zkv::unlock {

/// The link under `devices` (/dev) that udev makes for a block device of ZFS. Source: OpenZFS zvol_id, which
/// writes a blank as '+'.
std::filesystem::path zvol_link(const std::filesystem::path& devices, std::string name);

class ZvolUse {
 public:
  /// Looks at what is mounted now. `devices` is /dev, `mount_table` /proc/self/mountinfo.
  ZvolUse(std::filesystem::path devices, const std::filesystem::path& mount_table);

  /// Where filesystems on the block devices `zvols`, or on partitions of them, are mounted, in words for a
  /// person; and where none is, that something else may use the devices. Empty when there are no `zvols`.
  [[nodiscard]] std::string of(const Names& zvols) const;

 private:
  std::filesystem::path devices_;
  std::vector<Mounted> mounts_;  ///< of block devices, their sources with every link followed
};

}  // namespace zkv::unlock
