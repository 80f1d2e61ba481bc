// A recovery code as it stands on paper, and what the gateway knows it by.
#pragma once

#include <string>
#include <string_view>

#include "base/secret_bytes.h"
#include "crypto/hash.h"

namespace zkv::gateway {

/// Of one set; making new ones ends the old.
inline constexpr std::size_t kRecoveryCodes = 10;

/// 120 bits from the system's generator as six groups of four characters of Crockford's base32.
SecretBytes make_recovery_code();

/// What shows that somebody had the code, without being it: SHA-256("zkv recovery code 1" ‖ 0x00 ‖ the 24
/// characters). Stands in the audit log once the code was used. Case, blanks and hyphens do not matter, O is
/// read as 0, I and L as 1; what is no code gives the proof of nothing that anybody made.
crypto::Sha256 proof_of_recovery_code(std::string_view text);

/// What the store, and the audit log of the making, know a code by: SHA-256 of its proof.
crypto::Sha256 hash_of_proof(const crypto::Sha256& proof);

}  // namespace zkv::gateway
