// Ed25519 by libsodium.
#include "crypto/signature.h"

#include <sodium.h>

#include <algorithm>

#include "base/stack_wiper.h"
#include "crypto/random.h"

namespace zkv::crypto {

static_assert(kSigningSeedSize == crypto_sign_SEEDBYTES);
static_assert(sizeof(VerifyingKey) == crypto_sign_PUBLICKEYBYTES);
static_assert(sizeof(Signature) == crypto_sign_BYTES);

SigningKey SigningKey::make() { return from_seed(random_secret(kSigningSeedSize)).value(); }

Result<SigningKey> SigningKey::from_seed(const SecretBytes& seed) {
  const StackWiper wiper;
  if (seed.size() != kSigningSeedSize) return Error::invalid("an Ed25519 key is made of 32 bytes");
  SigningKey key;
  key.secret_ = SecretBytes(crypto_sign_SECRETKEYBYTES);
  crypto_sign_seed_keypair(key.public_.data(), key.secret_.data(), seed.data());
  return key;
}

SecretBytes SigningKey::seed() const {
  SecretBytes seed(kSigningSeedSize);
  crypto_sign_ed25519_sk_to_seed(seed.data(), secret_.data());
  return seed;
}

Signature SigningKey::sign(std::span<const std::uint8_t> message) const {
  const StackWiper wiper;
  Signature signature{};
  crypto_sign_detached(signature.data(), nullptr, message.data(), message.size(), secret_.data());
  return signature;
}

bool verifies(const VerifyingKey& key, std::span<const std::uint8_t> message,
              std::span<const std::uint8_t> signature) {
  return signature.size() == sizeof(Signature) &&
         crypto_sign_verify_detached(signature.data(), message.data(), message.size(), key.data()) == 0;
}

}  // namespace zkv::crypto
