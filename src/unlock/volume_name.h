// Names that are part of other names: of units, files and credentials.
#pragma once

#include <string_view>

#include "base/result.h"

namespace zkv::unlock {

/// Whether a volume may have this name that systemd and the file system take too: 1 to 127 letters, digits
/// and `-._`, not with a dot in front. Errors: kInvalid.
Result<> check_plain_name(std::string_view name);

}  // namespace zkv::unlock
