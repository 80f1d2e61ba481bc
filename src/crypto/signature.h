// Ed25519 signatures: who a host or a gateway is.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "base/result.h"
#include "base/secret_bytes.h"

namespace zkv::crypto {

inline constexpr std::size_t kSigningSeedSize = 32;

using VerifyingKey = std::array<std::uint8_t, 32>;
using Signature = std::array<std::uint8_t, 64>;

/// The secret half of an Ed25519 key, and the public one beside it. Source: RFC 8032.
class SigningKey {
 public:
  static SigningKey make();
  /// Errors: kInvalid unless the seed has kSigningSeedSize bytes.
  static Result<SigningKey> from_seed(const SecretBytes& seed);

  [[nodiscard]] const VerifyingKey& verifying_key() const { return public_; }
  /// What from_seed takes: to be stored, and never to be shown.
  [[nodiscard]] SecretBytes seed() const;
  [[nodiscard]] Signature sign(std::span<const std::uint8_t> message) const;

 private:
  SigningKey() = default;
  SecretBytes secret_;
  VerifyingKey public_{};
};

/// False for any other message, key or signature; also for keys of small order and for a signature that is
/// not in its one canonical form.
bool verifies(const VerifyingKey& key, std::span<const std::uint8_t> message,
              std::span<const std::uint8_t> signature);

}  // namespace zkv::crypto
