// What fstab lets the programs and devices of a filesystem do that others than root can write.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "unlock/crypt.h"
#include "unlock/mount_table.h"

namespace zkv::unlock {

/// Whether no program on it runs with its owner's rights, and no device on it is one. `options` are those of
/// a line of fstab or of /proc/self/mountinfo.
bool gives_no_rights(std::string_view options);

/// Whether an image that others can write may be mounted as the line says. Errors: kDenied.
Result<> check_line_for_others(const VolumeRef& volume, const FstabLine& line);

/// The same of what mounts by itself once the volume is open: lines of its mapping, and lines by UUID= or
/// LABEL= at whose place nothing is mounted yet, since whoever writes an image chooses these. Where only root
/// mounts a line (noauto), check_line_for_others() comes before it. Errors: kDenied, kIo.
Result<> check_fstab_for_others(const VolumeRef& volume, const CryptOptions& options);

}  // namespace zkv::unlock
