// XChaCha20-Poly1305 by libsodium.
#include "crypto/aead.h"

#include <sodium.h>

#include "base/stack_wiper.h"
#include "crypto/random.h"

namespace zkv::crypto {

static_assert(kAeadKeySize == crypto_aead_xchacha20poly1305_ietf_KEYBYTES);
static_assert(kAeadNonceSize == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES);
static_assert(kAeadTagSize == crypto_aead_xchacha20poly1305_ietf_ABYTES);

AeadNonce random_nonce() {
  AeadNonce nonce;
  fill_random(nonce);
  return nonce;
}

Bytes seal(std::span<const std::uint8_t> key, const AeadNonce& nonce,
           std::span<const std::uint8_t> associated, std::span<const std::uint8_t> plaintext) {
  const StackWiper wiper;
  Bytes sealed(plaintext.size() + kAeadTagSize);
  crypto_aead_xchacha20poly1305_ietf_encrypt(sealed.data(), nullptr, plaintext.data(), plaintext.size(),
                                             associated.data(), associated.size(), nullptr, nonce.data(),
                                             key.data());
  return sealed;
}

Result<SecretBytes> open(std::span<const std::uint8_t> key, const AeadNonce& nonce,
                         std::span<const std::uint8_t> associated, std::span<const std::uint8_t> sealed) {
  const StackWiper wiper;
  const auto wrong = [] { return Error::wrong_key("the key does not fit, or the data was changed"); };
  if (key.size() != kAeadKeySize || sealed.size() < kAeadTagSize) return wrong();
  SecretBytes plaintext(sealed.size() - kAeadTagSize);
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(plaintext.data(), nullptr, nullptr, sealed.data(),
                                                 sealed.size(), associated.data(), associated.size(),
                                                 nonce.data(), key.data()) != 0) {
    return wrong();
  }
  return plaintext;
}

}  // namespace zkv::crypto
