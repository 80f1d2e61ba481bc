// The checks that a registration and an assertion have in common; for this room only.
#pragma once

#include <string_view>

#include "gateway/passkey/parts.h"
#include "gateway/passkey/passkey.h"

namespace zkv::gateway::passkey {

/// Type, challenge, origin, no other site's frame. Errors: kDenied.
Result<> check(const ClientData& data, std::string_view type, const Expectation& expected);
/// RP id, user present, user verified, backup flags that fit each other. Errors: kDenied.
Result<> check(const AuthenticatorData& data, const RelyingParty& party);

}  // namespace zkv::gateway::passkey
