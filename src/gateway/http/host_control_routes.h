// What a person logged in at the gateway may do with hosts over the unix socket.
#pragma once

#include <functional>
#include <string>

#include "gateway/http/router.h"
#include "gateway/service/service.h"

namespace zkv::gateway::http {

/// GET /control/hosts, GET /control/hosts/NAME, POST /control/hosts/NAME/revoke, …/rename (body: the new
/// name), POST /control/invites (body: {"name", "group", "seconds"}). JSON. `link_for` makes the link of an
/// invite from its token.
void add_host_control_routes(Router& router, Service& service,
                             std::function<std::string(SecretBytes token)> link_for);

}  // namespace zkv::gateway::http
