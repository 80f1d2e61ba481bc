// One list of characters.
#include "unlock/volume_name.h"

namespace zkv::unlock {

namespace {

constexpr std::size_t kLongestPlainName = 127;
constexpr std::string_view kPlainCharacters =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";

}  // namespace

Result<> check_plain_name(std::string_view name) {
  const bool is_plain = !name.empty() && name.front() != '.' && name.size() <= kLongestPlainName &&
                        name.find_first_not_of(kPlainCharacters) == std::string_view::npos;
  if (is_plain) return {};
  return Error::invalid("no volume of this kind can have that name")
      .remedy("name it by letters, digits and -._");
}

}  // namespace zkv::unlock
