// What a person logged in at the gateway may do over the unix socket: see requests and decide them.
#pragma once

#include "gateway/http/router.h"
#include "gateway/service/service.h"

namespace zkv::gateway::http {

/// GET /control/requests[?all=1], GET /control/requests/ID, POST /control/requests/ID/approve and …/deny
/// (body: the reason), POST /control/approve-all. JSON. Who decided is "console:uid N".
void add_control_routes(Router& router, Service& service);

}  // namespace zkv::gateway::http
