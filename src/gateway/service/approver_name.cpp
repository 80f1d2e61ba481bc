// Character by character, by the tables of Unicode where letters have a case.
#include "gateway/service/approver_name.h"

#include <algorithm>
#include <array>
#include <boost/locale/utf.hpp>
#include <clocale>
#include <cstdint>
#include <cwctype>
#include <iterator>

namespace zkv::gateway {
namespace {

using Utf8 = boost::locale::utf::utf_traits<char>;

constexpr std::size_t kLongestApproverName = 64;

struct Span {
  std::uint32_t first;
  std::uint32_t last;
};

/// Controls; what Unicode 15 has as Cf, Zl or Zp: they show as nothing, or turn round what follows; blanks
/// but the space (Zs, U+2800), fillers and variation selectors: with them two names look alike.
constexpr auto kUnshown = std::to_array<Span>(
    {{0x0, 0x1f},        {0x7f, 0xa0},       {0xad, 0xad},       {0x34f, 0x34f},     {0x600, 0x605},
     {0x61c, 0x61c},     {0x6dd, 0x6dd},     {0x70f, 0x70f},     {0x890, 0x891},     {0x8e2, 0x8e2},
     {0x115f, 0x1160},   {0x1680, 0x1680},   {0x17b4, 0x17b5},   {0x180b, 0x180f},   {0x2000, 0x200f},
     {0x2028, 0x202f},   {0x205f, 0x206f},   {0x2800, 0x2800},   {0x3000, 0x3000},   {0x3164, 0x3164},
     {0xfe00, 0xfe0f},   {0xfeff, 0xfeff},   {0xffa0, 0xffa0},   {0xfff0, 0xfffb},   {0x110bd, 0x110bd},
     {0x110cd, 0x110cd}, {0x13430, 0x1343f}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff}});

bool is_shown(std::uint32_t character) {
  return std::ranges::none_of(
      kUnshown, [character](const Span& span) { return span.first <= character && character <= span.last; });
}

/// The C library's tables of Unicode, whatever locale the program runs in; null where it has none.
class Letters {
 public:
  Letters() : locale_(::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)) {}
  Letters(const Letters&) = delete;
  Letters& operator=(const Letters&) = delete;
  ~Letters() {
    if (locale_ != nullptr) ::freelocale(locale_);
  }
  [[nodiscard]] std::uint32_t lower(std::uint32_t character) const {
    if (locale_ == nullptr) return character;
    return ::towlower_l(::towupper_l(static_cast<wint_t>(character), locale_), locale_);
  }

 private:
  locale_t locale_;
};

/// Calls `each` with every character; false where the text is no UTF-8, or `each` says so.
template <class Each>
bool all_characters(const std::string& text, Each each) {
  for (auto at = text.begin(); at != text.end();) {
    const auto character = Utf8::decode(at, text.end());
    if (!boost::locale::utf::is_valid_codepoint(character) || !each(character)) return false;
  }
  return true;
}

}  // namespace

bool is_approver_name(const std::string& name) {
  return !name.empty() && name.size() <= kLongestApproverName && name.front() != ' ' && name.back() != ' ' &&
         name.find_first_of(":/\\\"'") == std::string::npos && folded_name(name) != "gateway" &&
         all_characters(name, is_shown);
}

std::string folded_name(const std::string& name) {
  const Letters letters;
  std::string folded;
  const bool is_text = all_characters(name, [&](std::uint32_t character) {
    Utf8::encode(letters.lower(character), std::back_inserter(folded));
    return true;
  });
  return is_text ? folded : name;
}

}  // namespace zkv::gateway
