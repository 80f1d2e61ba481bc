// /livez and /readyz: whether the process serves, and whether its store answers.
#pragma once

#include "gateway/http/router.h"
#include "gateway/service/service.h"

namespace zkv::gateway::http {

void add_health_routes(Router& router, Service& service);

}  // namespace zkv::gateway::http
