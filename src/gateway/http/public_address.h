// Where people find the page, as passkeys are bound to it: an origin, and a name that is no IP address.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "gateway/passkey/passkey.h"
#include "gateway/settings/settings.h"

namespace zkv::gateway::http {

/// From the setting public-url; without it, from the loopback address that the server listens on, as
/// "localhost" with `port`. Errors: kUnavailable named "public-url" when that is no name, or plain http to
/// another machine, where browsers have no passkeys.
Result<passkey::RelyingParty> relying_party(const std::string& public_url, const AddressBytes& listen,
                                            std::uint16_t port, bool tls);

inline bool is_https(const passkey::RelyingParty& party) { return party.origin.starts_with("https://"); }

}  // namespace zkv::gateway::http
