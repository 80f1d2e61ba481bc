// Hexadecimal and base64 as text forms of bytes; the secret forms stay in SecretBytes throughout.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/secret_bytes.h"

namespace zkv {

using Bytes = std::vector<std::uint8_t>;

std::string to_hex(std::span<const std::uint8_t> bytes);
/// Decodes lower- or upper-case hex. Errors: kInvalid for an odd length or another character.
Result<Bytes> from_hex(std::string_view text);

enum class Base64 {
  kStandard,      ///< RFC 4648 §4, padded
  kUrl,           ///< RFC 4648 §5, padded
  kUrlNoPadding,  ///< RFC 4648 §5 without padding
};
std::string to_base64(std::span<const std::uint8_t> bytes, Base64 variant);
/// Strict: no white space, no characters of the other alphabet. Errors: kInvalid.
Result<Bytes> from_base64(std::string_view text, Base64 variant);
/// The same to the start of `out`, which must have room for base64_bytes(text); gives the number of bytes.
Result<std::size_t> from_base64(std::string_view text, Base64 variant, std::span<std::uint8_t> out);
/// The most bytes that so much base64 text can stand for.
constexpr std::size_t base64_bytes(std::string_view text) { return text.size() / 4 * 3 + 2; }

SecretBytes to_base64_secret(std::span<const std::uint8_t> bytes, Base64 variant);
Result<SecretBytes> from_base64_secret(std::string_view text, Base64 variant);
Result<SecretBytes> from_hex_secret(std::string_view text);

}  // namespace zkv
