// PINs by the crypto room's generator and HMAC.
#include "gateway/service/pin.h"

#include <algorithm>

#include "base/private_file.h"
#include "crypto/hash.h"
#include "crypto/random.h"

namespace zkv::gateway {
namespace {

constexpr std::string_view kWhiteSpace = " \t\r\n\v\f";
constexpr std::size_t kMostDigits = 18;
constexpr std::size_t kPinKeySize = 32;

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(kWhiteSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kWhiteSpace) - first + 1);
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// The number's shortest form.
std::optional<std::string_view> number_in(std::string_view text) {
  const auto digits = trimmed(text);
  if (digits.empty() || !std::ranges::all_of(digits, is_digit)) return std::nullopt;
  const auto first = std::min(digits.find_first_not_of('0'), digits.size() - 1);
  const auto number = digits.substr(first);
  if (number.size() > kMostDigits) return std::nullopt;
  return number;
}

}  // namespace

Result<SecretBytes> load_pin_key(const std::filesystem::path& file) {
  auto key = load_or_make_private_file(file, crypto::random_secret(kPinKeySize), "the PIN key");
  if (key || key.error().kind() != ErrorKind::kInvalid) return key;
  return std::move(key).error().remedy(
      "delete it: a new one is made, and only the PINs that are under way stop working");
}

SecretBytes make_pin(unsigned length) {
  SecretBytes pin(length);
  for (auto& digit : pin.span()) digit = static_cast<std::uint8_t>('0' + crypto::random_below(10));
  return pin;
}

std::optional<Bytes> mac_of_pin(std::span<const std::uint8_t> key, std::string_view text) {
  const auto number = number_in(text);
  if (!number) return std::nullopt;
  const auto mac = crypto::hmac_sha256(key, bytes_of(*number));
  return Bytes(mac.begin(), mac.end());
}

}  // namespace zkv::gateway
