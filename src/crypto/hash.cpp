// SHA-256 and HMAC-SHA-256 by libsodium; HMAC-SHA-1 by OpenSSL, since libsodium rightly has none.
#include "crypto/hash.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sodium.h>

#include <new>

#include "crypto/stack.h"

namespace zkv::crypto {

Sha256 sha256(std::span<const std::uint8_t> bytes) {
  Sha256 digest{};
  crypto_hash_sha256(digest.data(), bytes.data(), bytes.size());
  return digest;
}

Sha256 hmac_sha256(std::span<const std::uint8_t> key, std::span<const std::uint8_t> bytes) {
  const StackWiper wiper;
  Sha256 mac{};
  crypto_auth_hmacsha256_state state;
  crypto_auth_hmacsha256_init(&state, key.data(), key.size());
  crypto_auth_hmacsha256_update(&state, bytes.data(), bytes.size());
  crypto_auth_hmacsha256_final(&state, mac.data());
  sodium_memzero(&state, sizeof state);
  return mac;
}

Sha1 hmac_sha1(std::span<const std::uint8_t> key, std::span<const std::uint8_t> bytes) {
  const StackWiper wiper;
  Sha1 mac{};
  unsigned length = 0;
  // A null key pointer would mean "the key of last time" to OpenSSL.
  static constexpr std::uint8_t kNoKey = 0;
  const std::uint8_t* key_bytes = key.empty() ? &kNoKey : key.data();
  if (HMAC(EVP_sha1(), key_bytes, static_cast<int>(key.size()), bytes.data(), bytes.size(), mac.data(),
           &length) == nullptr) {
    throw std::bad_alloc();
  }
  return mac;
}

}  // namespace zkv::crypto
