// Sealed boxes by libsodium.
#include "crypto/sealed_box.h"

#include <sodium.h>

#include "base/stack_wiper.h"
#include "crypto/random.h"

namespace zkv::crypto {

static_assert(kBoxSecretSize == crypto_box_SECRETKEYBYTES);
static_assert(sizeof(BoxPublicKey) == crypto_box_PUBLICKEYBYTES);
static_assert(kSealedBoxOverhead == crypto_box_SEALBYTES);

BoxKey BoxKey::make() { return from_secret(random_secret(kBoxSecretSize)).value(); }

Result<BoxKey> BoxKey::from_secret(const SecretBytes& secret) {
  const StackWiper wiper;
  if (secret.size() != kBoxSecretSize) return Error::invalid("an X25519 key is made of 32 bytes");
  BoxKey key;
  key.secret_ = secret.clone();
  crypto_scalarmult_base(key.public_.data(), key.secret_.data());
  return key;
}

Result<SecretBytes> BoxKey::open(std::span<const std::uint8_t> sealed) const {
  const StackWiper wiper;
  if (sealed.size() < kSealedBoxOverhead) return Error::wrong_key("this is not a sealed box");
  SecretBytes plaintext(sealed.size() - kSealedBoxOverhead);
  if (crypto_box_seal_open(plaintext.data(), sealed.data(), sealed.size(), public_.data(), secret_.data()) !=
      0) {
    return Error::wrong_key("the box is sealed to another key, or was changed");
  }
  return plaintext;
}

Result<Bytes> seal_to(const BoxPublicKey& key, std::span<const std::uint8_t> plaintext) {
  const StackWiper wiper;
  Bytes sealed(plaintext.size() + kSealedBoxOverhead);
  if (crypto_box_seal(sealed.data(), plaintext.data(), plaintext.size(), key.data()) != 0) {
    return Error::invalid("no box can be sealed to this key");
  }
  return sealed;
}

}  // namespace zkv::crypto
