// What a person logged in at the gateway may do with approvers over the unix socket.
#pragma once

#include "gateway/http/people_door.h"

namespace zkv::gateway::http {

/// GET /control/approvers, POST /control/approvers (body: {"name", "role", "seconds"}: an invite), POST
/// /control/approvers/revoke (body: {"approver": name or id}). JSON. `party` may be why there is none: then
/// nobody can be invited. `service` outlives the router.
void add_people_control_routes(Router& router, Service& service, Result<passkey::RelyingParty> party);

}  // namespace zkv::gateway::http
