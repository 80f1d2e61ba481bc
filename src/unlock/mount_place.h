// Where what a repository holds may be mounted.
#pragma once

#include <string>

#include "base/result.h"

namespace zkv::unlock {

/// Whether a mount there hides nothing that the running system needs. Errors: kInvalid, also for what is no
/// whole path. Source: hier(7).
Result<> check_mount_place(const std::string& mountpoint);

/// Whether nobody but root can change what that place leads to. Errors: kDenied.
Result<> check_way_to(const std::string& mountpoint);

}  // namespace zkv::unlock
