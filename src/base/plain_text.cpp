// Code point by code point.
#include "base/plain_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/secret_bytes.h"
#include "base/utf8.h"

namespace zkv {

namespace {

struct Range {
  std::uint32_t first;
  std::uint32_t last;
};

/// Controls, soft hyphen, Arabic letter mark, zero-width and direction characters, separators, fillers, tags.
constexpr std::array kUnfit{Range{0x00, 0x1f},     Range{0x7f, 0x9f},      Range{0xad, 0xad},
                            Range{0x61c, 0x61c},   Range{0x115f, 0x1160},  Range{0x180b, 0x180f},
                            Range{0x200b, 0x200f}, Range{0x2028, 0x202e},  Range{0x2060, 0x206f},
                            Range{0x3164, 0x3164}, Range{0xfe00, 0xfe0f},  Range{0xfeff, 0xfeff},
                            Range{0xfff0, 0xfffb}, Range{0xe0000, 0xe0fff}};

bool is_unfit(std::uint32_t value) {
  return std::ranges::any_of(
      kUnfit, [value](const Range& range) { return value >= range.first && value <= range.last; });
}

/// Replaces each code point that is unfit by what `shown` makes of it, and each byte that is no UTF-8
/// likewise, as U+FFFD.
template <class Shown>
std::string fitted(std::string_view text, Shown shown) {
  static constexpr std::uint32_t kNoText = 0xfffd;
  std::string fit;
  fit.reserve(text.size());
  while (!text.empty()) {
    const CodePoint next = first_code_point(bytes_of(text));
    if (next.size == 0 || is_unfit(next.value)) {
      fit += shown(next.size == 0 ? kNoText : next.value);
    } else {
      fit += text.substr(0, next.size);
    }
    text.remove_prefix(next.size == 0 ? 1 : next.size);
  }
  return fit;
}

/// Source: RFC 8259, 7: what lies beyond the first plane is a pair of surrogates.
std::string json_escape(std::uint32_t value) {
  static constexpr std::uint32_t kBeyond = 0x10000;
  if (value < kBeyond) return fmt::format("\\u{:04x}", value);
  const std::uint32_t rest = value - kBeyond;
  return fmt::format("\\u{:04x}\\u{:04x}", 0xd800U + (rest >> 10U), 0xdc00U + (rest & 0x3ffU));
}

}  // namespace

std::string plain_text(std::string_view text) {
  return fitted(text, [](std::uint32_t) { return '?'; });
}

std::string plain_json(std::string_view document) { return fitted(document, json_escape); }

}  // namespace zkv
