// One file: signing seed, then sealing secret.
#include "gateway/identity/identity.h"

#include "base/private_file.h"
#include "crypto/random.h"

namespace zkv::gateway {

Result<Identity> Identity::load_or_make(const std::filesystem::path& path) {
  const auto fresh = crypto::random_secret(crypto::kSigningSeedSize + crypto::kBoxSecretSize);
  ZKV_TRY(const auto both, load_or_make_private_file(path, fresh, "the gateway's identity"));
  const auto seed = SecretBytes::copy_of(both.span().first(crypto::kSigningSeedSize));
  const auto secret = SecretBytes::copy_of(both.span().subspan(crypto::kSigningSeedSize));
  ZKV_TRY(auto signing, crypto::SigningKey::from_seed(seed));
  ZKV_TRY(auto sealing, crypto::BoxKey::from_secret(secret));
  return Identity(std::move(signing), std::move(sealing));
}

protocol::Envelope Identity::statement(const std::string& name, Time now) const {
  const protocol::GatewayStatement said{
      id(),
      signing_.verifying_key(),
      sealing_.public_key(),
      name,
      now,
      {std::string(protocol::kKnowsDrills), std::string(protocol::kKnowsHeartbeats),
       std::string(protocol::kKnowsSuccessions)}};
  return protocol::seal_message(said, signing_);
}

}  // namespace zkv::gateway
