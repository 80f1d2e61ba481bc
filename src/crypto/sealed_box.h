// Sealed boxes: bytes that only the holder of one X25519 key can read, from a sender who needs no key.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "base/encoding.h"
#include "base/result.h"
#include "base/secret_bytes.h"

namespace zkv::crypto {

inline constexpr std::size_t kBoxSecretSize = 32;
inline constexpr std::size_t kSealedBoxOverhead = 48;  ///< an ephemeral public key and the tag

using BoxPublicKey = std::array<std::uint8_t, 32>;

/// An X25519 key (RFC 7748) to which boxes are sealed.
class BoxKey {
 public:
  static BoxKey make();
  /// Errors: kInvalid unless the secret has kBoxSecretSize bytes.
  static Result<BoxKey> from_secret(const SecretBytes& secret);

  [[nodiscard]] const BoxPublicKey& public_key() const { return public_; }
  [[nodiscard]] const SecretBytes& secret() const { return secret_; }
  /// Errors: kWrongKey for a box that is another's, cut off, or changed in any bit.
  [[nodiscard]] Result<SecretBytes> open(std::span<const std::uint8_t> sealed) const;

 private:
  BoxKey() = default;
  SecretBytes secret_;
  BoxPublicKey public_{};
};

/// Source: libsodium, crypto_box_seal (X25519, XSalsa20-Poly1305, the nonce from both public keys by
/// BLAKE2b). Errors: kInvalid for a public key to which no box can be sealed (of small order).
Result<Bytes> seal_to(const BoxPublicKey& key, std::span<const std::uint8_t> plaintext);

}  // namespace zkv::crypto
