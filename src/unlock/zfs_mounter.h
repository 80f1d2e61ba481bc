// Mounting many ZFS filesystems that do not lie in one another, several at once.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "base/result.h"
#include "unlock/zfs.h"
#include "unlock/zfs_program.h"

namespace zkv::unlock {

/// Does what `zfs mount NAME` does for each of `names`, as many at once as there are cores: by libzfs, which
/// is spared the start of a program for each, and by zfs(8) where there is no libzfs that is known, or it
/// refuses: then zfs(8) has the words for why. Call it while no other thread of this process is at work. One
/// answer for each. Errors: kExists (it is mounted), kInterrupted, kUnavailable (no end within the limit),
/// kIo.
std::vector<Result<>> mount_zfs(const std::vector<std::string>& names, const ZfsOptions& options,
                                const ZfsProgram& program, const std::stop_token& stop);

}  // namespace zkv::unlock
