// Where a ZFS filesystem came up. Its own mount follows links, which others may change while it runs.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "unlock/unmounting.h"
#include "unlock/zfs_properties.h"

namespace zkv::unlock {

/// Places by the names of datasets.
using ZfsPlaces = std::map<std::string, std::vector<std::string>>;

/// Where filesystems of ZFS are mounted. `text` is /proc/self/mountinfo.
ZfsPlaces zfs_places_in(std::string_view text);

/// Whether the dataset, which was mounted, is where its mount point says: at that path itself, or where links
/// lead that only root can change. One that came up elsewhere is unmounted. `mounted` is how it was after the
/// mount; what is not in it passes. Errors: kDenied.
Result<> check_came_up(const Dataset& dataset, const ZfsPlaces& mounted, const Unmount& unmount);

}  // namespace zkv::unlock
