// Where fstab wants a filesystem mounted.
#pragma once

#include <string>
#include <vector>

#include "unlock/crypt.h"

namespace zkv::unlock {

/// The mount points of the lines that name `device`, by a path, or by UUID= or LABEL= of the filesystem on
/// it, which blkid(8) tells; none without fstab. Errors: kIo (blkid failed, and no line names a path of it).
Result<std::vector<std::string>> places_in_fstab(const CryptOptions& options, const std::string& device);

}  // namespace zkv::unlock
