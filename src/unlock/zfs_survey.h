// What can be told of ZFS volumes before their keys are loaded.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "unlock/unlocker.h"
#include "unlock/zfs_program.h"

namespace zkv::unlock {

/// One survey for each of `names`, from `listing`, which is of them and all below them. What a pool lies on
/// cannot be told while it is not imported: its volumes come last. Errors: those of ZfsProgram::list().
Result<std::vector<Survey>> survey_zfs(const std::vector<std::string>& names, const Listing& listing,
                                       const ZfsProgram& program);

}  // namespace zkv::unlock
