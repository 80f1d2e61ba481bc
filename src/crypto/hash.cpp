// SHA-256 and HMAC-SHA-256 by libsodium; HMAC-SHA-1 by OpenSSL, since libsodium rightly has none.
#include "crypto/hash.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sodium.h>

#include <new>

#include "crypto/stack.h"

namespace zkv::crypto {

namespace {

/// Where the bytes start; never null, which libsodium does not take and OpenSSL takes for "the key of last
/// time".
const std::uint8_t* start_of(std::span<const std::uint8_t> bytes) {
  static constexpr std::uint8_t kNothing = 0;
  return bytes.empty() ? &kNothing : bytes.data();
}

}  // namespace

Sha256 sha256(std::span<const std::uint8_t> bytes) {
  Sha256 digest{};
  crypto_hash_sha256(digest.data(), start_of(bytes), bytes.size());
  return digest;
}

Sha256 hmac_sha256(std::span<const std::uint8_t> key, std::span<const std::uint8_t> bytes) {
  const StackWiper wiper;
  Sha256 mac{};
  crypto_auth_hmacsha256_state state;
  crypto_auth_hmacsha256_init(&state, start_of(key), key.size());
  crypto_auth_hmacsha256_update(&state, start_of(bytes), bytes.size());
  crypto_auth_hmacsha256_final(&state, mac.data());
  sodium_memzero(&state, sizeof state);
  return mac;
}

Sha1 hmac_sha1(std::span<const std::uint8_t> key, std::span<const std::uint8_t> bytes) {
  const StackWiper wiper;
  Sha1 mac{};
  unsigned length = 0;
  if (HMAC(EVP_sha1(), start_of(key), static_cast<int>(key.size()), start_of(bytes), bytes.size(), mac.data(),
           &length) == nullptr) {
    throw std::bad_alloc();
  }
  return mac;
}

}  // namespace zkv::crypto
