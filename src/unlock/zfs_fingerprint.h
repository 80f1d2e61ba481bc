// What ZFS tells of a key that it does not give: properties, and the pool's history.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "unlock/unlocker.h"
#include "unlock/zfs.h"

namespace zkv::unlock {

/// One for each name. A passphrase gets a new salt with each change, which shows for good. A change from one
/// raw or hex key to another changes no property: there the history of the pool tells, for as long as it
/// reaches back. Where it cannot be read (only root may), `unseen` says so.
std::vector<Fingerprint> zfs_fingerprints(const std::vector<std::string>& names, const ZfsOptions& options);

/// When the key of the filesystem `name` was changed last, by what `zpool history -i` prints: its own time of
/// the last `zfs change-key` of that name, or of the last change by a program that left no name, whichever
/// stands later. Empty when there is none. Source: OpenZFS cmd/zpool/zpool_main.c, module/zfs/zfs_ioctl.c.
std::string last_key_change(std::string_view history, std::string_view name);

}  // namespace zkv::unlock
