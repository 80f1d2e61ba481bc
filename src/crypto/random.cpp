// Random bytes and numbers by libsodium, which reads getrandom(2).
#include "crypto/random.h"

#include <sodium.h>

namespace zkv::crypto {

void fill_random(std::span<std::uint8_t> out) {
  if (!out.empty()) randombytes_buf(out.data(), out.size());
}

SecretBytes random_secret(std::size_t size) {
  SecretBytes secret(size);
  fill_random(secret.span());
  return secret;
}

SecretBytes random_volume_key(std::size_t size) {
  auto key = random_secret(size);
  for (auto& byte : key.span()) {
    while (byte == 0) fill_random({&byte, 1});
  }
  return key;
}

std::uint32_t random_below(std::uint32_t bound) { return randombytes_uniform(bound); }

}  // namespace zkv::crypto
