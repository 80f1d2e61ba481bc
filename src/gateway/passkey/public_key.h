// The public key of a passkey, from the COSE_Key that the authenticator gave.
#pragma once

#include <openssl/types.h>

#include <cstdint>
#include <memory>
#include <span>
#include <variant>

#include "base/result.h"
#include "crypto/signature.h"

namespace zkv::gateway::passkey {

class PublicKey {
 public:
  /// Errors: kInvalid when it is no key, or a weak one (a point that is not on P-256, an RSA modulus that is
  /// even or not of 2048 to 4096 bits, an exponent other than 65537); kUnsupported for an algorithm other
  /// than ES256, EdDSA with Ed25519 and RS256. No other parameters may be in it.
  /// Source: WebAuthn Level 3, §5.8.5 and §6.5.1; RFC 9053; RFC 8230.
  static Result<PublicKey> from_cose(std::span<const std::uint8_t> cose_key);

  /// Signatures as WebAuthn Level 3, §6.5.5 has them: ES256 in DER, RS256 by PKCS #1 v1.5.
  [[nodiscard]] bool verifies(std::span<const std::uint8_t> message,
                              std::span<const std::uint8_t> signature) const;

 private:
  struct Free {
    void operator()(EVP_PKEY* key) const;
  };
  using Handle = std::unique_ptr<EVP_PKEY, Free>;

  explicit PublicKey(crypto::VerifyingKey key) : key_(key) {}
  explicit PublicKey(Handle key) : key_(std::move(key)) {}
  static Result<PublicKey> p256(std::span<const std::uint8_t> x, std::span<const std::uint8_t> y);
  static Result<PublicKey> rsa(std::span<const std::uint8_t> modulus, std::span<const std::uint8_t> exponent);
  static Handle import(const char* type, OSSL_PARAM* parameters);

  std::variant<crypto::VerifyingKey, Handle> key_;
};

}  // namespace zkv::gateway::passkey
