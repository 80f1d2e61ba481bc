// Version 2's endpoints (docs/protocol-v2.md).
#pragma once

#include <memory>
#include <string>

#include "gateway/http/router.h"
#include "gateway/identity/identity.h"

namespace zkv::gateway::http {

struct V2Options {
  std::shared_ptr<const Identity> identity;
  std::string name;  ///< of this gateway, as hosts and people see it
};

/// GET /v2/gateway.
void add_v2_routes(Router& router, V2Options options);

}  // namespace zkv::gateway::http
