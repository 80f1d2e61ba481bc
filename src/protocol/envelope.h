// Signed messages of version 2 (docs/protocol-v2.md, "Envelopes"): the bytes that were signed are the bytes
// that were sent.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "base/encoding.h"
#include "base/result.h"
#include "crypto/hash.h"
#include "crypto/signature.h"

namespace zkv::protocol {

inline constexpr std::size_t kLargestEnvelope = std::size_t{64} * 1024;  ///< bytes of its JSON

/// Who signed: SHA-256 of the public key's bytes.
using KeyId = crypto::Sha256;
KeyId key_id(const crypto::VerifyingKey& key);

/// One DSSE envelope with its one signature. Source: secure-systems-lab/dsse, protocol.md, version 1.
struct Envelope {
  std::string type;  ///< payloadType
  Bytes body;        ///< the payload's bytes, not looked at before the signature is checked
  KeyId signer{};
  crypto::Signature signature{};
};

/// The bytes that are signed.
Bytes pre_authentication_encoding(std::string_view type, std::span<const std::uint8_t> body);
/// SHA-256 of these: what other messages call the envelope by.
crypto::Sha256 hash_of(const Envelope& envelope);

Envelope sign(std::string_view type, std::string_view body, const crypto::SigningKey& key);
/// Whether this signature fits this message, by the one key that it was made for.
using Verify = std::function<bool(std::span<const std::uint8_t> message, const crypto::Signature& signature)>;
/// Errors: kDenied when it is of another type, signed by another key, or was changed.
Result<> check_signature(const Envelope& envelope, std::string_view type, const crypto::VerifyingKey& key);
/// The same for the key called `signer`, of whatever kind it is.
Result<> check_signature(const Envelope& envelope, std::string_view type, const KeyId& signer,
                         const Verify& verify);

std::string to_json(const Envelope& envelope);
/// The shape alone; nothing is believed yet. Errors: kInvalid (names the member that is wrong).
Result<Envelope> parse_envelope(std::string_view json);

}  // namespace zkv::protocol
