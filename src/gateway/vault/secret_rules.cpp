// Which letters may stand in a name, and which in a value.
#include "gateway/vault/secret_rules.h"

#include <fmt/core.h>

#include <algorithm>
#include <cctype>

namespace zkv::gateway {

namespace {

constexpr std::size_t kLongestName = 127;
constexpr std::size_t kLongestValue = 25'600;

bool is_of_a_name(unsigned char letter) {
  return letter < 128 && (std::isalnum(letter) != 0 || letter == '-');
}

bool is_printable(std::uint8_t letter) { return letter >= 0x20 && letter < 0x7f; }

}  // namespace

Result<> check_secret_name(const std::string& name) {
  if (!name.empty() && name.size() <= kLongestName && std::all_of(name.begin(), name.end(), is_of_a_name)) {
    return {};
  }
  return Error::invalid("this is no name of a secret")
      .remedy(fmt::format("use 1 to {} letters, digits and hyphens", kLongestName));
}

Result<> check_secret_value(const SecretBytes& value) {
  const auto letters = value.span();
  if (!letters.empty() && letters.size() <= kLongestValue &&
      std::all_of(letters.begin(), letters.end(), is_printable)) {
    return {};
  }
  return Error::invalid(fmt::format("a value of {} bytes is not stored as it is", letters.size()))
      .remedy(fmt::format("give 1 to {} printable ASCII characters, such as base64", kLongestValue));
}

}  // namespace zkv::gateway
