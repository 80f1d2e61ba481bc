// Closing the mapping of a volume, and what lies on it.
#pragma once

#include <string>

#include "unlock/crypt.h"
#include "unlock/mappings.h"

namespace zkv::unlock {

Outcome closed_mapping(const std::string& name, Happened happened, std::string detail = {},
                       std::string remedy = {});

/// Takes down what lies on the mapping, and closes it. Nothing happens where anything of it is mounted, used
/// as swap, or below another volume that is open: the outcome says which.
Outcome close_mapping(const Mapping& mapping, const CryptOptions& options);

}  // namespace zkv::unlock
