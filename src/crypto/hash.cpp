// Digests and HMAC by nettle, which uses the processor's own SHA instructions.
#include "crypto/hash.h"

#include <nettle/hmac.h>
#include <nettle/sha2.h>
#include <sodium.h>

#include "base/stack_wiper.h"

namespace zkv::crypto {

Sha256 sha256(std::span<const std::uint8_t> bytes) {
  Sha256 digest{};
  sha256_ctx state;
  sha256_init(&state);
  sha256_update(&state, bytes.size(), bytes.data());
  sha256_digest(&state, digest.size(), digest.data());
  return digest;
}

Sha256 hmac_sha256(std::span<const std::uint8_t> key, std::span<const std::uint8_t> bytes) {
  const StackWiper wiper;
  Sha256 mac{};
  hmac_sha256_ctx state;
  hmac_sha256_set_key(&state, key.size(), key.data());
  hmac_sha256_update(&state, bytes.size(), bytes.data());
  hmac_sha256_digest(&state, mac.size(), mac.data());
  sodium_memzero(&state, sizeof state);
  return mac;
}

Sha1 hmac_sha1(std::span<const std::uint8_t> key, std::span<const std::uint8_t> bytes) {
  const StackWiper wiper;
  Sha1 mac{};
  hmac_sha1_ctx state;
  hmac_sha1_set_key(&state, key.size(), key.data());
  hmac_sha1_update(&state, bytes.size(), bytes.data());
  hmac_sha1_digest(&state, mac.size(), mac.data());
  sodium_memzero(&state, sizeof state);
  return mac;
}

}  // namespace zkv::crypto
