// Identities as bytes and as JWK.
#include "protocol/host_identity.h"

#include <algorithm>

#include "base/encoding.h"

namespace zkv::protocol {

namespace json = boost::json;

namespace {

constexpr std::uint8_t kUncompressed = 4;
constexpr std::size_t kLongestKind = 100;

std::string coordinate(std::span<const std::uint8_t> bytes) {
  return to_base64(bytes, Base64::kUrlNoPadding);
}

template <class Key>
HostIdentity copy_of(std::span<const std::uint8_t> bytes) {
  Key key{};
  std::ranges::copy(bytes, key.begin());
  return key;
}

}  // namespace

P256Key p256_key(std::span<const std::uint8_t> x, std::span<const std::uint8_t> y) {
  P256Key key{kUncompressed};
  std::ranges::copy(y.first(kCoordinateSize),
                    std::ranges::copy(x.first(kCoordinateSize), key.begin() + 1).out);
  return key;
}

std::span<const std::uint8_t> public_bytes(const HostIdentity& identity) {
  return std::visit([](const auto& key) { return std::span<const std::uint8_t>(key); }, identity);
}

Result<HostIdentity> identity_from(std::span<const std::uint8_t> bytes) {
  if (bytes.size() == sizeof(crypto::VerifyingKey)) return copy_of<crypto::VerifyingKey>(bytes);
  if (bytes.size() == sizeof(P256Key) && bytes[0] == kUncompressed) return copy_of<P256Key>(bytes);
  return Error::invalid("these bytes are no host's identity");
}

KeyId key_id(const HostIdentity& identity) { return crypto::sha256(public_bytes(identity)); }

bool is_of_tpm(const HostIdentity& identity) { return std::holds_alternative<P256Key>(identity); }

json::object to_jwk(const HostIdentity& identity) {
  const auto bytes = public_bytes(identity);
  if (!is_of_tpm(identity)) return {{"kty", "OKP"}, {"crv", "Ed25519"}, {"x", coordinate(bytes)}};
  return {{"kty", "EC"},
          {"crv", "P-256"},
          {"x", coordinate(bytes.subspan(1, kCoordinateSize))},
          {"y", coordinate(bytes.subspan(1 + kCoordinateSize))}};
}

Result<HostIdentity> read_jwk(const Members& jwk) {
  ZKV_TRY(const auto kind, jwk.text("kty", kLongestKind));
  ZKV_TRY(const auto curve, jwk.text("crv", kLongestKind));
  const bool is_ed25519 = kind == "OKP" && curve == "Ed25519";
  if (!is_ed25519 && !(kind == "EC" && curve == "P-256")) {
    return Error::unsupported("the host's identity is of the kind " + kind + " " + curve +
                              ", and only Ed25519 and P-256 are known");
  }
  ZKV_TRY(const auto x, jwk.base64_of<kCoordinateSize>("x"));
  if (is_ed25519) return HostIdentity(x);
  ZKV_TRY(const auto y, jwk.base64_of<kCoordinateSize>("y"));
  return HostIdentity(p256_key(x, y));
}

Result<Envelope> sign(std::string_view type, std::string_view body, const Signer& signer) {
  Envelope envelope{std::string(type), Bytes(body.begin(), body.end()), key_id(signer.identity()), {}};
  ZKV_TRY(envelope.signature, signer.sign(pre_authentication_encoding(type, envelope.body)));
  return envelope;
}

}  // namespace zkv::protocol
