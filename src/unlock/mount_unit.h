// The mount units that systemd makes of fstab. Who mounts such a line beside it can come between the check of
// the filesystem and the mount, and then one of the two fails.
#pragma once

#include <chrono>
#include <filesystem>
#include <stop_token>
#include <string>

#include "base/result.h"

namespace zkv::unlock {

struct MountManager {
  std::filesystem::path socket;  ///< systemd's own
  std::filesystem::path fstab = "/etc/fstab";
  std::chrono::milliseconds limit = std::chrono::minutes(5);  ///< with the check of the filesystem
};

enum class MountUnit {
  kStarted,  ///< systemd says that it is mounted
  kNone,     ///< none is made of that fstab as it is now, none that can start before zkv ends, or no systemd
};

/// The name of the unit for a path without links. Source: systemd.unit(5), "String escaping for inclusion in
/// unit names".
std::string mount_unit_name(const std::string& place);

/// Has systemd mount what fstab says for `place`, a path without links, after what that waits for. A unit
/// that comes after zfs-keyvault is left alone: it would wait for the one that waits for it.
/// Errors: kIo (it or what it needs failed; says where to look), kUnavailable (not within the limit: systemd
/// goes on with it), kInterrupted.
Result<MountUnit> start_mount_unit(const std::string& place, const MountManager& manager,
                                   const std::stop_token& stop);

}  // namespace zkv::unlock
