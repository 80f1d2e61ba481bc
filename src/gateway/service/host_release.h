// The release of a share to an enrolled host: sealed to the key in its request, signed by the gateway.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "base/secret_bytes.h"
#include "base/time.h"
#include "gateway/approval/request.h"
#include "gateway/identity/identity.h"
#include "protocol/envelope.h"

namespace zkv::gateway {

/// The envelope that answers `request`, whose own signed envelope is `ask`. `share` is what the vault holds:
/// 32 bytes in base64; `approvals` are the SHA-256 of the evidence of each approval, in order. Errors:
/// kCorrupt (the vault's value is no share, or the request's envelope is damaged), kInvalid (no box can be
/// sealed to the request's key).
Result<std::string> make_release(const Identity& identity, const Request& request, const std::string& ask,
                                 const SecretBytes& share, std::vector<crypto::Sha256> approvals, Time now);

}  // namespace zkv::gateway
