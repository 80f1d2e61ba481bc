// What kind of filesystem is on a device, and by which names it is mounted.
#pragma once

#include <string>
#include <string_view>

#include "unlock/crypt.h"

namespace zkv::unlock {

/// What blkid(8) calls the filesystem on `device`; empty where that is none of the usual ones, as with a part
/// of a pool or a volume group. Errors: kIo.
Result<std::string> filesystem_on(const std::string& device, const CryptOptions& options);

/// Whether what blkid(8) calls `found` can be mounted as fstab's `wanted`: a type, several with commas
/// between, or auto. Where one of the two is not well known it may be. Source: mount(8), fstab(5).
bool can_be_mounted_as(std::string_view found, std::string_view wanted);

}  // namespace zkv::unlock
