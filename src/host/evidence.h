// What this machine says of itself when it asks.
#pragma once

#include "protocol/messages.h"

namespace zkv::host {

/// Boot id, kernel, name, uptime and addresses of this machine, as far as the system tells them.
protocol::Evidence gather_evidence();

/// Two digits that the console shows and the approver compares.
std::string make_number();

}  // namespace zkv::host
