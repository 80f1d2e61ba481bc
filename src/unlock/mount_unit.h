// The mount units that systemd makes of fstab. Who mounts such a line beside it can come between the check of
// the filesystem and the mount, and then one of the two fails.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>

#include "base/result.h"

namespace zkv::unlock {

struct MountManager {
  std::filesystem::path socket;  ///< systemd's own
  std::filesystem::path fstab = "/etc/fstab";
  std::chrono::milliseconds limit = std::chrono::minutes(5);   ///< without the check of the filesystem
  std::chrono::milliseconds looks = std::chrono::seconds(30);  ///< whether it is being checked
  /// Called at such a look while it is, with the time in which the next comes for certain.
  std::function<void(std::chrono::milliseconds)> on_check = {};
};

enum class UnitStart {
  kDone,  ///< systemd says that it is
  kNone,  ///< there is no such unit that could start before zkv ends, or no systemd
};

/// What stands for a path without links in the names of units, before their ending or as their instance.
/// Source: systemd.unit(5), "String escaping for inclusion in unit names".
std::string unit_name_of(const std::string& path);

/// Has systemd mount what fstab says for `place`, a path without links, after what that waits for. A unit
/// that comes after zfs-keyvault is left alone: it would wait for the one that waits for it; so is one of
/// another fstab than there is now.
/// The check of a large filesystem takes as long as it takes: while one runs, the limit does not.
/// Errors: kIo (it or what it needs failed; says where to look), kUnavailable (not within the limit: systemd
/// goes on with it), kInterrupted.
Result<UnitStart> start_mount_unit(const std::string& place, const MountManager& manager,
                                   const std::stop_token& stop);

/// Has systemd check the filesystem on `device`, as before it mounts a line with a last number that is not 0.
/// Nothing happens to one that was checked since the device came, or that has no program for it. Errors: the
/// same. Source: systemd-fsck@.service(8).
Result<UnitStart> start_check(const std::string& device, const MountManager& manager,
                              const std::stop_token& stop);

}  // namespace zkv::unlock
