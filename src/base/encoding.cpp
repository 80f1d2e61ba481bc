// Text forms of bytes; those of secrets by libsodium's constant-time codecs.
#include "base/encoding.h"

#include <sodium.h>

#include <array>

namespace zkv {

namespace {

int sodium_variant(Base64 variant) {
  switch (variant) {
    case Base64::kStandard:
      return sodium_base64_VARIANT_ORIGINAL;
    case Base64::kUrl:
      return sodium_base64_VARIANT_URLSAFE;
    case Base64::kUrlNoPadding:
      return sodium_base64_VARIANT_URLSAFE_NO_PADDING;
  }
  return sodium_base64_VARIANT_ORIGINAL;
}

std::size_t base64_size(std::size_t bytes, Base64 variant) {
  return sodium_base64_encoded_len(bytes, sodium_variant(variant));
}

using DigitValues = std::array<std::uint8_t, 256>;
constexpr std::uint8_t kNoDigit = 0xff;

constexpr DigitValues make_values(char digit_62, char digit_63) {
  DigitValues values{};
  values.fill(kNoDigit);
  for (std::uint8_t i = 0; i < 26; ++i) values[std::size_t{'A'} + i] = i;
  for (std::uint8_t i = 0; i < 26; ++i) values[std::size_t{'a'} + i] = static_cast<std::uint8_t>(26 + i);
  for (std::uint8_t i = 0; i < 10; ++i) values[std::size_t{'0'} + i] = static_cast<std::uint8_t>(52 + i);
  values[static_cast<std::uint8_t>(digit_62)] = 62;
  values[static_cast<std::uint8_t>(digit_63)] = 63;
  return values;
}

/// For bytes that are no secret: a table is many times as fast as libsodium's constant time.
const DigitValues& values_of(Base64 variant) {
  static constexpr DigitValues kStandardValues = make_values('+', '/');
  static constexpr DigitValues kUrlValues = make_values('-', '_');
  return variant == Base64::kStandard ? kStandardValues : kUrlValues;
}

/// Of libsodium 1.0.18 some bytes past ASCII pass for digits. Looks at all of them, whatever it finds.
bool is_ascii(std::string_view text) {
  unsigned seen = 0;
  for (const char c : text) seen |= static_cast<std::uint8_t>(c);
  return seen < 0x80;
}

bool decode_base64(std::string_view text, Base64 variant, std::span<std::uint8_t> out, std::size_t& length) {
  length = 0;
  if (text.empty()) return true;  // libsodium takes no null pointer, not even with no bytes behind it
  const char* end = nullptr;
  return is_ascii(text) &&
         sodium_base642bin(out.data(), out.size(), text.data(), text.size(), nullptr, &length, &end,
                           sodium_variant(variant)) == 0 &&
         end == text.data() + text.size();
}

bool decode_hex(std::string_view text, std::span<std::uint8_t> out) {
  if (text.empty()) return true;
  std::size_t length = 0;
  const char* end = nullptr;
  return text.size() % 2 == 0 &&
         sodium_hex2bin(out.data(), out.size(), text.data(), text.size(), nullptr, &length, &end) == 0 &&
         end == text.data() + text.size();
}

Error not_base64() { return Error::invalid("not valid base64 text"); }
Error not_hex() { return Error::invalid("not valid hexadecimal text"); }

}  // namespace

std::string to_hex(std::span<const std::uint8_t> bytes) {
  std::string text(2 * bytes.size() + 1, '\0');
  sodium_bin2hex(text.data(), text.size(), bytes.data(), bytes.size());
  text.pop_back();
  return text;
}

Result<Bytes> from_hex(std::string_view text) {
  Bytes bytes(text.size() / 2);
  if (!decode_hex(text, bytes)) return not_hex();
  return bytes;
}

Result<SecretBytes> from_hex_secret(std::string_view text) {
  SecretBytes bytes(text.size() / 2);
  if (!decode_hex(text, bytes.span())) return not_hex();
  return bytes;
}

std::string to_base64(std::span<const std::uint8_t> bytes, Base64 variant) {
  std::string text(base64_size(bytes.size(), variant), '\0');
  sodium_bin2base64(text.data(), text.size(), bytes.data(), bytes.size(), sodium_variant(variant));
  text.pop_back();
  return text;
}

SecretBytes to_base64_secret(std::span<const std::uint8_t> bytes, Base64 variant) {
  SecretBytes text(base64_size(bytes.size(), variant));
  sodium_bin2base64(reinterpret_cast<char*>(text.data()), text.size(), bytes.data(), bytes.size(),
                    sodium_variant(variant));
  text.truncate(text.size() - 1);
  return text;
}

Result<Bytes> from_base64(std::string_view text, Base64 variant) {
  Bytes bytes(base64_bytes(text));
  ZKV_TRY(const std::size_t size, from_base64(text, variant, bytes));
  bytes.resize(size);
  return bytes;
}

Result<std::size_t> from_base64(std::string_view text, Base64 variant, std::span<std::uint8_t> out) {
  const auto digits = text.substr(0, text.find_last_not_of('=') + 1);
  const std::size_t padding = variant == Base64::kUrlNoPadding ? 0 : (4 - digits.size() % 4) % 4;
  if (digits.size() % 4 == 1 || text.size() - digits.size() != padding) return not_base64();
  const DigitValues& values = values_of(variant);
  std::uint8_t* next = out.data();
  std::uint32_t seen = 0;  // a value that is no digit has a bit that no digit has
  const auto value_at = [&](std::size_t place) {
    const std::uint32_t value = values[static_cast<std::uint8_t>(digits[place])];
    seen |= value;
    return value;
  };
  const std::size_t whole = digits.size() / 4 * 4;
  for (std::size_t i = 0; i < whole; i += 4) {
    const std::uint32_t bits =
        value_at(i) << 18 | value_at(i + 1) << 12 | value_at(i + 2) << 6 | value_at(i + 3);
    *next++ = static_cast<std::uint8_t>(bits >> 16);
    *next++ = static_cast<std::uint8_t>(bits >> 8);
    *next++ = static_cast<std::uint8_t>(bits);
  }
  std::uint32_t rest = 0;
  for (std::size_t i = whole; i < digits.size(); ++i) rest |= value_at(i) << (18 - 6 * (i - whole));
  for (std::size_t i = whole + 1; i < digits.size(); ++i, rest <<= 8)
    *next++ = static_cast<std::uint8_t>(rest >> 16);
  if ((seen & 0x80U) != 0 || (rest & 0xffffffU) != 0) return not_base64();
  return static_cast<std::size_t>(next - out.data());
}

Result<SecretBytes> from_base64_secret(std::string_view text, Base64 variant) {
  SecretBytes bytes(text.size() / 4 * 3 + 3);
  std::size_t length = 0;
  if (!decode_base64(text, variant, bytes.span(), length)) return not_base64();
  bytes.truncate(length);
  return bytes;
}

}  // namespace zkv
