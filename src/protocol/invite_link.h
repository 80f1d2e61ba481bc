// The link by which a machine becomes a host of a gateway: docs/protocol-v2.md, "Enrolment".
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret_bytes.h"
#include "crypto/hash.h"
#include "protocol/envelope.h"

namespace zkv::protocol {

struct InviteLink {
  std::string gateway_address;  ///< "https://gateway.example", without a slash at its end
  SecretBytes token;            ///< kInviteSize bytes
  KeyId gateway{};
  /// SHA-256 of the SubjectPublicKeyInfo of a certificate that nobody else vouches for.
  std::optional<crypto::Sha256> certificate;
};

std::string to_text(const InviteLink& link);
/// Errors: kInvalid, saying which part is wrong; it never shows the token.
Result<InviteLink> parse_invite_link(std::string_view text);

}  // namespace zkv::protocol
