// Unmounting and closing in rounds: what lies on a volume goes before it, whatever kind it is of.
#pragma once

#include <filesystem>
#include <stop_token>
#include <vector>

#include "host/boot.h"
#include "unlock/unlocker.h"

namespace zkv::host {

/// `volumes[i]` are those of the kind of `unlockers[i]`. Kinds are closed in the opposite order of opening,
/// and what could not be closed is tried again as long as anything else could. What stays mounted is told
/// with the processes that keep it, as far as `processes` (/proc) shows them to this user.
MountReport unmount_and_close(const Unlockers& unlockers, std::vector<std::vector<unlock::VolumeRef>> volumes,
                              const std::stop_token& stop, const std::filesystem::path& processes = "/proc");

}  // namespace zkv::host
