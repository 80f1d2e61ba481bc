// A certificate that nobody vouches for but the pin in an invite: for gateways without a public name.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "base/secret_bytes.h"

namespace zkv::gateway::http {

struct SelfSigned {
  std::string certificate;  ///< PEM
  SecretBytes key;          ///< PEM (PKCS #8), without a passphrase
};

/// A new P-256 key and a certificate for `names` (host names and IP addresses, at least one), good for ten
/// years from an hour ago. Errors: kInvalid (no name, or one that cannot stand in a certificate), kInternal.
Result<SelfSigned> make_self_signed(const std::vector<std::string>& names);

}  // namespace zkv::gateway::http
