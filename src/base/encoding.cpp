// Text forms of bytes by libsodium's constant-time codecs.
#include "base/encoding.h"

#include <sodium.h>

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

bool decode_base64(std::string_view text, Base64 variant, std::span<std::uint8_t> out, std::size_t& length) {
  length = 0;
  if (text.empty()) return true;  // libsodium takes no null pointer, not even with no bytes behind it
  const char* end = nullptr;
  return sodium_base642bin(out.data(), out.size(), text.data(), text.size(), nullptr, &length, &end,
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

std::span<const std::uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

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
  Bytes bytes(text.size() / 4 * 3 + 3);
  std::size_t length = 0;
  if (!decode_base64(text, variant, bytes, length)) return not_base64();
  bytes.resize(length);
  return bytes;
}

Result<SecretBytes> from_base64_secret(std::string_view text, Base64 variant) {
  SecretBytes bytes(text.size() / 4 * 3 + 3);
  std::size_t length = 0;
  if (!decode_base64(text, variant, bytes.span(), length)) return not_base64();
  bytes.truncate(length);
  return bytes;
}

}  // namespace zkv
