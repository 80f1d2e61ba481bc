// The bytes that a browser and an authenticator give, taken apart: what they say, not yet whether it is
// right. Pure functions of untrusted bytes, which never fail but by a Result: entry points for a fuzzer.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "base/encoding.h"
#include "base/result.h"
#include "crypto/hash.h"

namespace zkv::gateway::passkey {

inline constexpr std::size_t kLargestAttestationObject = std::size_t{16} * 1024;
inline constexpr std::size_t kLargestAuthenticatorData = std::size_t{4} * 1024;
inline constexpr std::size_t kLargestClientData = std::size_t{4} * 1024;
inline constexpr std::size_t kLargestSignature = 1024;
inline constexpr std::size_t kLongestCredentialId = 1023;  ///< WebAuthn Level 3, §4, "Credential ID"

/// What the browser saw. Source: WebAuthn Level 3, §5.8.1.
struct ClientData {
  std::string type;       ///< "webauthn.create" or "webauthn.get"
  std::string challenge;  ///< base64, url-safe, without padding
  std::string origin;
  bool is_cross_origin = false;  ///< asked for inside another site's frame
};

/// Members that are not known are passed over, as the specification asks. Errors: kInvalid when it is longer
/// than kLargestClientData, no JSON object, or a known member is missing or of another form.
Result<ClientData> parse_client_data(std::span<const std::uint8_t> json);

struct AttestedCredential {
  std::array<std::uint8_t, 16> model{};  ///< AAGUID
  Bytes id;
  Bytes public_key;  ///< the COSE_Key as it came
};

/// What the authenticator signed. Source: WebAuthn Level 3, §6.1.
struct AuthenticatorData {
  crypto::Sha256 rp_id_hash{};
  bool user_present = false;
  bool user_verified = false;
  bool backup_eligible = false;
  bool backed_up = false;
  std::uint32_t counter = 0;
  std::optional<AttestedCredential> credential;  ///< in a registration only
};

/// Extensions must be well-formed and are passed over. Errors: kInvalid when it is longer than
/// kLargestAuthenticatorData, cut off, goes on past its end, or the credential's id is empty or too long.
Result<AuthenticatorData> parse_authenticator_data(std::span<const std::uint8_t> bytes);

/// Source: WebAuthn Level 3, §6.5.4.
struct AttestationObject {
  std::string format;
  bool has_statement = false;  ///< something other than an empty map
  AuthenticatorData authenticator_data;
};

/// Errors: kInvalid when it is longer than kLargestAttestationObject, not exactly one CBOR map with exactly
/// `fmt`, `attStmt` and `authData`, or one of these is misshapen.
Result<AttestationObject> parse_attestation_object(std::span<const std::uint8_t> bytes);

}  // namespace zkv::gateway::passkey
