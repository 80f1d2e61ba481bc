// From the key that a repository holds to the 32 bytes that ZFS wants.
#pragma once

#include <cstdint>
#include <span>

#include "base/result.h"
#include "base/secret_bytes.h"

namespace zkv::unlock {

inline constexpr std::size_t kWrappingKeySize = 32;

/// ZFS' property `keyformat`.
enum class KeyFormat { kNone, kRaw, kHex, kPassphrase };

/// What of `pbkdf2iters` is derived at all: some ten seconds on a slow core. The default of ZFS is 350'000.
inline constexpr std::uint64_t kMostIterations = 10'000'000;

struct KeyRule {
  KeyFormat format = KeyFormat::kNone;
  std::uint64_t iterations = 0;  ///< `pbkdf2iters`, for passphrases
  std::uint64_t salt = 0;        ///< `pbkdf2salt`, for passphrases
};

/// The wrapping key (kWrappingKeySize bytes) that `key` stands for.
/// - raw: exactly 32 bytes as they are; since the seed's repository holds text only, also 64 hexadecimal
/// digits,
///   or base64 of 32 bytes in either alphabet, with one newline after it or none.
/// - hex: 64 hexadecimal digits, with one newline after them or none.
/// - passphrase: 8 to 512 bytes up to the first newline, as zfs(8) reads a key file; PBKDF2-HMAC-SHA-1 with
/// the
///   salt as 8 little-endian bytes and at least 100'000 iterations.
/// Errors: kInvalid, with the form that is wanted (never the key). Source: zfsprops(7), OpenZFS
/// libzfs_crypto.c.
Result<SecretBytes> derive_wrapping_key(std::span<const std::uint8_t> key, const KeyRule& rule);

/// What `zfs load-key` wants to read on stdin for the same key: raw bytes, digits, or one line.
/// Errors: as derive_wrapping_key.
Result<SecretBytes> prompt_answer(std::span<const std::uint8_t> key, KeyFormat format);

}  // namespace zkv::unlock
