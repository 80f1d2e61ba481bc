// The public keys of passkeys and of hosts, and whether a signature fits one.
#pragma once

#include <openssl/types.h>

#include <cstdint>
#include <memory>
#include <span>
#include <variant>

#include "base/result.h"
#include "crypto/signature.h"

namespace zkv::gateway {

class PublicKey {
 public:
  explicit PublicKey(crypto::VerifyingKey ed25519) : key_(ed25519) {}
  /// Errors: kInvalid for coordinates that are not of 32 bytes, or a point that is not on the curve.
  static Result<PublicKey> p256(std::span<const std::uint8_t> x, std::span<const std::uint8_t> y);
  /// Errors: kInvalid for a modulus that is even or not of 2048 to 4096 bits, or an exponent other than
  /// 65537.
  static Result<PublicKey> rsa(std::span<const std::uint8_t> modulus, std::span<const std::uint8_t> exponent);

  /// ECDSA with SHA-256 in DER, RSA with SHA-256 by PKCS #1 v1.5, or Ed25519.
  [[nodiscard]] bool verifies(std::span<const std::uint8_t> message,
                              std::span<const std::uint8_t> signature) const;
  /// ECDSA with SHA-256 as RFC 7518 has it: r, then s, 32 bytes each. Only for p256().
  [[nodiscard]] bool verifies_joined(std::span<const std::uint8_t> message,
                                     const crypto::Signature& signature) const;

 private:
  struct Free {
    void operator()(EVP_PKEY* key) const;
  };
  using Handle = std::unique_ptr<EVP_PKEY, Free>;

  explicit PublicKey(Handle key) : key_(std::move(key)) {}
  static Handle import(const char* type, OSSL_PARAM* parameters);

  std::variant<crypto::VerifyingKey, Handle> key_;
};

}  // namespace zkv::gateway
