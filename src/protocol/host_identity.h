// Who a host is: the public half of its Ed25519 key, or of the P-256 key in its TPM; and what signs for it.
#pragma once

#include <array>
#include <boost/json/object.hpp>
#include <cstdint>
#include <span>
#include <string_view>
#include <variant>

#include "base/result.h"
#include "crypto/signature.h"
#include "protocol/envelope.h"
#include "protocol/json_members.h"

namespace zkv::protocol {

inline constexpr std::size_t kCoordinateSize = 32;

/// A point of P-256: 4, x and y, as SEC 1 writes it uncompressed. Whether it is on the curve is another
/// question, which the gateway asks.
using P256Key = std::array<std::uint8_t, 1 + 2 * kCoordinateSize>;
using HostIdentity = std::variant<crypto::VerifyingKey, P256Key>;

/// Both coordinates must have kCoordinateSize bytes.
P256Key p256_key(std::span<const std::uint8_t> x, std::span<const std::uint8_t> y);

/// The bytes that a host id is the SHA-256 of: 32 or 65.
std::span<const std::uint8_t> public_bytes(const HostIdentity& identity);
/// Errors: kInvalid for bytes that public_bytes() does not give.
Result<HostIdentity> identity_from(std::span<const std::uint8_t> bytes);
KeyId key_id(const HostIdentity& identity);
/// Whether it is of the kind that lies in a TPM: P-256.
bool is_of_tpm(const HostIdentity& identity);

/// As a JWK: RFC 8037 for Ed25519, RFC 7518 for P-256.
boost::json::object to_jwk(const HostIdentity& identity);
/// Errors: kInvalid (names the member); kUnsupported for a key of another kind.
Result<HostIdentity> read_jwk(const Members& jwk);

/// Signs what a host says, with a key that may lie where nobody can read it.
class Signer {
 public:
  Signer() = default;
  Signer(const Signer&) = delete;
  Signer& operator=(const Signer&) = delete;
  virtual ~Signer() = default;

  [[nodiscard]] virtual HostIdentity identity() const = 0;
  /// Ed25519 over the message, or ES256 (r, then s). May be called by several threads. Errors: those of what
  /// holds the key.
  [[nodiscard]] virtual Result<crypto::Signature> sign(std::span<const std::uint8_t> message) const = 0;
};

/// A key in this program's memory.
class KeySigner : public Signer {
 public:
  explicit KeySigner(crypto::SigningKey key) : key_(std::move(key)) {}
  [[nodiscard]] HostIdentity identity() const override { return key_.verifying_key(); }
  [[nodiscard]] Result<crypto::Signature> sign(std::span<const std::uint8_t> message) const override {
    return key_.sign(message);
  }

 private:
  crypto::SigningKey key_;
};

/// Errors: the signer's.
Result<Envelope> sign(std::string_view type, std::string_view body, const Signer& signer);

}  // namespace zkv::protocol
