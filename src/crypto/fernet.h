// Fernet tokens: the seed's repository file is one. Source: the Fernet specification
// (github.com/fernet/spec).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret_bytes.h"
#include "base/time.h"

namespace zkv::crypto {

inline constexpr std::size_t kFernetKeySize = 32;      ///< 16 bytes sign, 16 bytes encrypt
inline constexpr std::size_t kFernetKeyTextSize = 44;  ///< the same in url-safe base64

/// A Fernet key from its text. Errors: kInvalid unless it is kFernetKeyTextSize characters of url-safe
/// base64.
Result<SecretBytes> fernet_key_from_text(std::string_view text);
SecretBytes fernet_key_to_text(std::span<const std::uint8_t> key);

struct FernetMessage {
  Time made;  ///< as the token says, in whole seconds
  SecretBytes plaintext;
};

/// The token that `key` (kFernetKeySize bytes) makes of `plaintext` at the time `made`, under a fresh random
/// initialisation vector.
std::string fernet_seal(std::span<const std::uint8_t> key, std::span<const std::uint8_t> plaintext,
                        Time made);
/// The same with the initialisation vector given: for test vectors only.
std::string fernet_seal(std::span<const std::uint8_t> key, std::span<const std::uint8_t> plaintext, Time made,
                        const std::array<std::uint8_t, 16>& initialisation_vector);

/// Checks the MAC in constant time before anything is decrypted. A token has no lifetime here: `made` is the
/// caller's to judge. Errors: kCorrupt (not the shape of a token), kWrongKey (the MAC does not fit).
Result<FernetMessage> fernet_open(std::span<const std::uint8_t> key, std::string_view token);

}  // namespace zkv::crypto
