// Whether the system would ask at its next boot, and whether what waits for the volumes would come up.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "host/drift.h"
#include "unlock/system_volumes.h"

namespace zkv::host {

struct SystemPlaces {
  std::string systemctl = "systemctl";  ///< a name or a path
  std::filesystem::path fstab = "/etc/fstab";
  std::filesystem::path crypttab = "/etc/crypttab";
  unlock::StoragePlaces storage = {};
};

/// Looks at zfs-keyvault.service (enabled, not masked), at the units that zfs-keyvault.target is required by,
/// at lines of fstab and crypttab that would hold up the boot for one of `record`'s volumes, and at their
/// mount points; not at lines of what the system lies on, which the initramfs sees to. Changes nothing.
Drift check_dependents(const DriftRecord& record, const Unlockers& unlockers,
                       const SystemPlaces& places = {});

}  // namespace zkv::host
