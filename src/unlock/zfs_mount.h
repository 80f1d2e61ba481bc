// In which order filesystems are mounted and unmounted, and the doing of it.
#pragma once

#include <functional>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "unlock/unlocker.h"
#include "unlock/zfs_properties.h"

namespace zkv::unlock {

using Names = std::set<std::string, std::less<>>;

/// Dataset::unclear of a volume that zfs(8) does not name at all.
inline constexpr std::string_view kNothingSaid = "nothing";

/// The pools that they lie in. What hangs on a key can be anywhere in its pool: a clone keeps the key of what
/// it was cloned from. Source: zfs-clone(8), zfs-load-key(8).
Names pools_of(const Names& names);

/// The filesystems among `datasets` whose key is that of one of `volumes`, and those without a key in
/// `pools`, by mountpoint and then by name, so that each comes after those it lies in. Also those that are
/// not to be mounted; those that are unclear, or of which zfs(8) says nothing, come first.
std::vector<Dataset> in_mount_order(const Datasets& datasets, const Names& volumes, const Names& pools = {});

/// By mount point and then by name, so that each comes after those it lies in.
void sort_by_mountpoint(std::vector<Dataset>& datasets);

/// Whether the dataset's own properties let it be mounted at a path.
bool wants_mount(const Dataset& dataset);

/// Mounts filesystems, none of which lies in another: one answer for each. kExists is success, and kConflict
/// says that it is not one to be mounted at present.
using MountTogether = std::function<std::vector<Result<>>(const std::vector<const Dataset*>& datasets)>;

/// Calls `mount` for those of `ordered` that want it: canmount=on, a path as mountpoint, not mounted yet; for
/// many at once, but for none before what it lies in. One failure stops no other, except those that would
/// land in the directory of a filesystem that failed. Source: `zfs mount -a` of zfs-mount(8). What lies below
/// one of `held` is left for later (kHeldBack).
std::vector<MountOutcome> mount_all(const std::vector<Dataset>& ordered, const std::vector<std::string>& held,
                                    const std::stop_token& stop, const MountTogether& mount);

/// Calls `unmount` for each that is mounted, the last of `ordered` first; kNotFound is success.
std::vector<MountOutcome> unmount_all(const std::vector<Dataset>& ordered, const std::stop_token& stop,
                                      const std::function<Result<>(const Dataset& dataset)>& unmount);

}  // namespace zkv::unlock
