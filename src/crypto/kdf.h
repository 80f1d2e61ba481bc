// Key derivation: HKDF-SHA-256, Argon2id, PBKDF2-HMAC-SHA-1 as ZFS uses it, and PBKDF2-HMAC-SHA-256.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/result.h"
#include "base/secret_bytes.h"

namespace zkv::crypto {

/// RFC 5869, `size` ≤ 8160 bytes.
SecretBytes hkdf_sha256(std::span<const std::uint8_t> input_key, std::span<const std::uint8_t> salt,
                        std::string_view info, std::size_t size);

struct Argon2Cost {
  std::uint32_t passes = 3;
  std::uint32_t memory_kib = 262'144;
};
/// RFC 9106 Argon2id, version 1.3, one lane, 16-byte salt, 32 bytes out. Errors: kInvalid for a cost outside
/// what libsodium takes, kUnavailable when the memory cannot be had.
Result<SecretBytes> argon2id(std::span<const std::uint8_t> passphrase, std::span<const std::uint8_t> salt,
                             const Argon2Cost& cost);

/// RFC 8018 PBKDF2 with HMAC-SHA-1, `size` bytes out. Errors: kInvalid for zero iterations.
Result<SecretBytes> pbkdf2_hmac_sha1(std::span<const std::uint8_t> passphrase,
                                     std::span<const std::uint8_t> salt, std::uint32_t iterations,
                                     std::size_t size);

/// The same with HMAC-SHA-256.
Result<SecretBytes> pbkdf2_hmac_sha256(std::span<const std::uint8_t> passphrase,
                                       std::span<const std::uint8_t> salt, std::uint32_t iterations,
                                       std::size_t size);

}  // namespace zkv::crypto
