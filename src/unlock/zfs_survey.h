// What can be told of ZFS volumes before their keys are loaded.
#pragma once

#include <string>
#include <vector>

#include "unlock/unlocker.h"
#include "unlock/zfs_program.h"

namespace zkv::unlock {

/// One survey for each of `names`, from `listing`, which is of their pools. What a pool lies on cannot be
/// told while it is not imported: its volumes come last.
std::vector<Survey> survey_zfs(const std::vector<std::string>& names, const Listing& listing);

}  // namespace zkv::unlock
