// A COSE_Key's parameters, each with its exact form.
#include "gateway/passkey/cose_key.h"

#include <algorithm>

#include "gateway/passkey/cbor.h"

namespace zkv::gateway::passkey {

namespace {

constexpr std::int64_t kType = 1, kAlgorithm = 3, kCurve = -1, kX = -2, kY = -3, kModulus = -1,
                       kExponent = -2;
constexpr std::int64_t kOkp = 1, kEc2 = 2, kRsa = 3;
constexpr std::int64_t kEs256 = -7, kEdDsa = -8, kRs256 = -257;
constexpr std::int64_t kP256 = 1, kEd25519 = 6;

Error no_key(const std::string& how) { return Error::invalid("the passkey's public key " + how); }

/// The key, or what is wrong with it as a passkey's.
Result<PublicKey> of_passkey(Result<PublicKey> key) {
  if (!key) return no_key(key.error().message());
  return key;
}

/// A COSE_Key with exactly the parameters that its algorithm needs.
class Parameters {
 public:
  explicit Parameters(const CborMap& map) : map_(map) {}

  [[nodiscard]] std::int64_t integer(std::int64_t label) const {
    const auto* value = map_.find(label);
    const auto* found = value == nullptr ? nullptr : value->as<std::int64_t>();
    return found == nullptr ? 0 : *found;
  }
  [[nodiscard]] std::span<const std::uint8_t> bytes(std::int64_t label) const {
    const auto* value = map_.find(label);
    const auto* found = value == nullptr ? nullptr : value->as<std::span<const std::uint8_t>>();
    return found == nullptr ? std::span<const std::uint8_t>() : *found;
  }
  [[nodiscard]] bool are(std::int64_t type, std::int64_t algorithm, std::size_t count) const {
    return integer(kType) == type && integer(kAlgorithm) == algorithm && map_.entries.size() == count;
  }

 private:
  const CborMap& map_;
};

}  // namespace

Result<PublicKey> public_key_from_cose(std::span<const std::uint8_t> cose_key) {
  ZKV_TRY(const auto read, read_cbor(cose_key));
  const auto* map = read.value.as<CborMap>();
  if (map == nullptr || read.size != cose_key.size()) return no_key("is not a COSE_Key");
  const Parameters key(*map);
  if (key.are(kEc2, kEs256, 5) && key.integer(kCurve) == kP256)
    return of_passkey(PublicKey::p256(key.bytes(kX), key.bytes(kY)));
  if (key.are(kRsa, kRs256, 4)) return of_passkey(PublicKey::rsa(key.bytes(kModulus), key.bytes(kExponent)));
  if (key.are(kOkp, kEdDsa, 4) && key.integer(kCurve) == kEd25519) {
    crypto::VerifyingKey ed25519{};
    if (key.bytes(kX).size() != ed25519.size()) return no_key("is not of 32 bytes");
    std::ranges::copy(key.bytes(kX), ed25519.begin());
    return PublicKey(ed25519);
  }
  return Error::unsupported("the passkey's public key is of a kind that is not taken")
      .remedy("use an authenticator that can do ES256, EdDSA (Ed25519) or RS256");
}

}  // namespace zkv::gateway::passkey
