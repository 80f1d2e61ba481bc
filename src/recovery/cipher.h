// Inside this room only: what SLIP-0039 does to a secret before it is shared, so that a passphrase can guard
// it. Our kits have none; the step is part of the format.
#pragma once

#include "base/secret_bytes.h"
#include "recovery/part.h"

namespace zkv::recovery {

/// `secret` has an even number of bytes. Source: SLIP-0039, "Encryption of the master secret".
SecretBytes encrypt(const SecretBytes& secret, const KitMark& mark, std::string_view passphrase);
SecretBytes decrypt(const SecretBytes& encrypted, const KitMark& mark, std::string_view passphrase);

}  // namespace zkv::recovery
