// The three key formats of ZFS.
#include "unlock/zfs_key.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "base/encoding.h"
#include "crypto/kdf.h"

namespace zkv::unlock {

namespace {

constexpr std::uint64_t kFewestIterations = 100'000;
constexpr std::size_t kShortestPassphrase = 8;
constexpr std::size_t kLongestPassphrase = 512;

std::string_view text_of(std::span<const std::uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string_view without_newline(std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  return text;
}

Result<SecretBytes> from_hex_key(std::string_view text) {
  auto key = from_hex_secret(text);
  if (!key || key->size() != kWrappingKeySize) {
    return Error::invalid("the key is not 64 hexadecimal digits, which keyformat=hex wants");
  }
  return key;
}

Result<SecretBytes> from_raw_key(std::span<const std::uint8_t> bytes) {
  if (bytes.size() == kWrappingKeySize) return SecretBytes::copy_of(bytes);
  const std::string_view text = without_newline(text_of(bytes));
  if (auto key = from_hex_secret(text); key && key->size() == kWrappingKeySize) return key;
  for (const auto variant : {Base64::kUrl, Base64::kStandard, Base64::kUrlNoPadding}) {
    if (auto key = from_base64_secret(text, variant); key && key->size() == kWrappingKeySize) return key;
  }
  return Error::invalid("the key is not 32 bytes, nor their hex or base64 text, which keyformat=raw wants");
}

Result<std::string_view> passphrase_in(std::span<const std::uint8_t> bytes) {
  const std::string_view text = text_of(bytes);
  const std::string_view line = text.substr(0, text.find('\n'));
  if (line.size() < kShortestPassphrase || line.size() > kLongestPassphrase) {
    return Error::invalid("the passphrase has " + std::to_string(line.size()) +
                          " bytes; ZFS wants 8 to 512 of them");
  }
  if (line.find('\0') != std::string_view::npos) {
    return Error::invalid("the passphrase holds a zero byte, which ZFS cannot take");
  }
  return line;
}

Result<SecretBytes> stretch(std::string_view passphrase, const KeyRule& rule) {
  if (rule.iterations < kFewestIterations || rule.iterations > UINT32_MAX) {
    return Error::invalid("pbkdf2iters is " + std::to_string(rule.iterations) + ", outside what ZFS allows");
  }
  std::array<std::uint8_t, 8> salt{};
  for (std::size_t i = 0; i < salt.size(); ++i) salt[i] = static_cast<std::uint8_t>(rule.salt >> (8 * i));
  return crypto::pbkdf2_hmac_sha1(bytes_of(passphrase), salt, static_cast<std::uint32_t>(rule.iterations),
                                  kWrappingKeySize);
}

SecretBytes as_line(std::string_view text) {
  SecretBytes line(text.size() + 1);
  std::copy(text.begin(), text.end(), line.data());
  line.data()[text.size()] = '\n';
  return line;
}

Error no_format() { return Error::invalid("the volume is not encrypted"); }

}  // namespace

Result<SecretBytes> derive_wrapping_key(std::span<const std::uint8_t> key, const KeyRule& rule) {
  switch (rule.format) {
    case KeyFormat::kRaw:
      return from_raw_key(key);
    case KeyFormat::kHex:
      return from_hex_key(without_newline(text_of(key)));
    case KeyFormat::kPassphrase: {
      ZKV_TRY(const auto passphrase, passphrase_in(key));
      return stretch(passphrase, rule);
    }
    case KeyFormat::kNone:
      break;
  }
  return no_format();
}

Result<SecretBytes> prompt_answer(std::span<const std::uint8_t> key, KeyFormat format) {
  switch (format) {
    case KeyFormat::kRaw:
      return from_raw_key(key);
    case KeyFormat::kHex: {
      const std::string_view digits = without_newline(text_of(key));
      ZKV_CHECK(from_hex_key(digits));
      return as_line(digits);
    }
    case KeyFormat::kPassphrase: {
      ZKV_TRY(const auto passphrase, passphrase_in(key));
      return as_line(passphrase);
    }
    case KeyFormat::kNone:
      break;
  }
  return no_format();
}

}  // namespace zkv::unlock
