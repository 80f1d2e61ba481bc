// The public key of a passkey, from the COSE_Key that the authenticator gave.
#pragma once

#include <cstdint>
#include <span>

#include "gateway/signature/public_key.h"

namespace zkv::gateway::passkey {

/// Its signatures are as WebAuthn Level 3, §6.5.5 has them: ES256 in DER, RS256 by PKCS #1 v1.5.
/// Errors: kInvalid when it is no key, or a weak one, as PublicKey says; kUnsupported for an algorithm other
/// than ES256, EdDSA with Ed25519 and RS256. No other parameters may be in it.
/// Source: WebAuthn Level 3, §5.8.5 and §6.5.1; RFC 9053; RFC 8230.
Result<PublicKey> public_key_from_cose(std::span<const std::uint8_t> cose_key);

}  // namespace zkv::gateway::passkey
