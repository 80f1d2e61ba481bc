// An assertion inside the JSON of evidence: the same members wherever evidence is kept.
#pragma once

#include <boost/json/object.hpp>

#include "gateway/passkey/passkey.h"
#include "protocol/json_members.h"

namespace zkv::gateway::passkey {

/// Adds "credential", "authenticatorData", "clientDataJSON" and "signature", base64 each.
void add_members(boost::json::object& object, const Assertion& assertion);
/// Errors: kInvalid.
Result<Assertion> read_assertion(const protocol::Members& members);

}  // namespace zkv::gateway::passkey
