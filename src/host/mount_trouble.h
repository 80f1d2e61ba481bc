// What the last opening could not mount, and what the next one will not.
#pragma once

#include <filesystem>
#include <vector>

#include "host/boot.h"
#include "host/drift.h"
#include "host/drift_record.h"
#include "host/unlock_record.h"

namespace zkv::host {

/// What the last opening left closed, or unmounted, and is so still, of the volumes that the repository has
/// now. `mount_table` is the kernel's own.
std::vector<Finding> find_left_over(const UnlockRecord& record, const DriftRecord& now,
                                    const Unlockers& unlockers,
                                    const std::filesystem::path& mount_table = "/proc/self/mountinfo");

/// Lines of fstab that cannot be right for what lies on a volume that is open.
std::vector<Finding> find_unmountable(const DriftRecord& now, const Unlockers& unlockers);

}  // namespace zkv::host
