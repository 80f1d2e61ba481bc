// Authenticated encryption with associated data: XChaCha20-Poly1305.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "base/encoding.h"
#include "base/result.h"
#include "base/secret_bytes.h"

namespace zkv::crypto {

inline constexpr std::size_t kAeadKeySize = 32;
inline constexpr std::size_t kAeadNonceSize = 24;
inline constexpr std::size_t kAeadTagSize = 16;

using AeadNonce = std::array<std::uint8_t, kAeadNonceSize>;

AeadNonce random_nonce();
/// Ciphertext followed by the 16-byte tag. `key` has kAeadKeySize bytes; a nonce is never used twice with one
/// key. Source: draft-irtf-cfrg-xchacha-03 (libsodium crypto_aead_xchacha20poly1305_ietf).
Bytes seal(std::span<const std::uint8_t> key, const AeadNonce& nonce,
           std::span<const std::uint8_t> associated, std::span<const std::uint8_t> plaintext);
/// Errors: kWrongKey when the tag does not fit (wrong key, or any changed bit of sealed or associated data).
Result<SecretBytes> open(std::span<const std::uint8_t> key, const AeadNonce& nonce,
                         std::span<const std::uint8_t> associated, std::span<const std::uint8_t> sealed);

}  // namespace zkv::crypto
