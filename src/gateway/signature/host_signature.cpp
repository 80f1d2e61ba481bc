// Ed25519 or ES256, by the kind of the identity.
#include "gateway/signature/host_signature.h"

#include "gateway/signature/public_key.h"

namespace zkv::gateway {

namespace {

Result<PublicKey> public_key_of(const protocol::P256Key& key) {
  const auto coordinates = std::span(key).subspan(1);
  return PublicKey::p256(coordinates.first(protocol::kCoordinateSize),
                         coordinates.subspan(protocol::kCoordinateSize));
}

}  // namespace

Result<> check_identity(const protocol::HostIdentity& identity) {
  const auto* p256 = std::get_if<protocol::P256Key>(&identity);
  if (p256 == nullptr) return {};
  const auto key = public_key_of(*p256);
  if (!key) return Error::invalid("the host's identity " + key.error().message());
  return {};
}

Result<> check_host_signature(const protocol::Envelope& envelope, std::string_view type,
                              const protocol::HostIdentity& identity) {
  if (const auto* ed25519 = std::get_if<crypto::VerifyingKey>(&identity)) {
    return protocol::check_signature(envelope, type, *ed25519);
  }
  const auto key = public_key_of(std::get<protocol::P256Key>(identity));
  return protocol::check_signature(envelope, type, protocol::key_id(identity),
                                   [&key](const auto message, const auto& signature) {
                                     return key.has_value() && key->verifies_joined(message, signature);
                                   });
}

}  // namespace zkv::gateway
