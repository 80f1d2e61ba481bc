// Random bytes and numbers from the system's generator (getrandom, through libsodium).
#pragma once

#include <cstdint>
#include <span>

#include "base/secret_bytes.h"

namespace zkv::crypto {

void fill_random(std::span<std::uint8_t> out);
SecretBytes random_secret(std::size_t size);
/// A volume's new key: bytes that are all uniform in 1..255, for prompts whose answers end at a zero.
SecretBytes random_volume_key(std::size_t size);
/// Uniform in 0 ≤ n < `bound`, without modulo bias.
std::uint32_t random_below(std::uint32_t bound);

}  // namespace zkv::crypto
