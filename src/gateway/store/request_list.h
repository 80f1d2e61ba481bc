// Requests beside those that the database no longer gives.
#pragma once

#include <string>
#include <vector>

#include "gateway/approval/request.h"

namespace zkv::gateway {

/// Requests as they were found; a damaged one does not hide the others.
struct RequestList {
  std::vector<Request> requests;
  std::vector<std::string> damaged;  ///< ids of those that something else wrote, or that cannot be read
};

}  // namespace zkv::gateway
