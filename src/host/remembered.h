// What is known of the repository's volumes without its key.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "unlock/unlocker.h"

namespace zkv::host {

struct VolumeOfKind {
  std::string kind;  ///< as Unlocker::name
  unlock::VolumeRef volume;
};

/// Those that were opened once, and those that were taken in and tried, sorted by name. Where both records
/// have one the drift guard's counts, which follows each change. A damaged record keeps nobody from what the
/// other knows; `zkv check` tells of it. Errors, where neither knows any: kCorrupt, kIo.
Result<std::vector<VolumeOfKind>> remembered_volumes(const std::filesystem::path& unlock_record,
                                                     const std::filesystem::path& drift_record);
/// Of the records at their own places.
Result<std::vector<VolumeOfKind>> remembered_volumes();

}  // namespace zkv::host
