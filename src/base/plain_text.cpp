// Code point by code point.
#include "base/plain_text.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace zkv {

namespace {

struct Decoded {
  std::uint32_t value = 0;
  std::size_t size = 0;  ///< 0: no UTF-8
};

std::size_t sequence_size(std::uint8_t first) {
  if (first < 0xe0) return 2;
  return first < 0xf0 ? 3 : 4;
}

/// The code point at the start of `text`, which is not empty. RFC 3629: shortest forms, no surrogates.
Decoded decode(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  if (byte(0) < 0x80) return {byte(0), 1};
  const std::size_t size = sequence_size(byte(0));
  if (byte(0) < 0xc2 || byte(0) > 0xf4 || text.size() < size) return {};
  std::uint32_t value = byte(0) & (0x7fU >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0U) != 0x80U) return {};
    value = (value << 6U) | (byte(i) & 0x3fU);
  }
  static constexpr std::array<std::uint32_t, 5> kLeast{0, 0, 0x80, 0x800, 0x10000};
  const bool is_surrogate = value >= 0xd800 && value <= 0xdfff;
  return value < kLeast[size] || value > 0x10ffff || is_surrogate ? Decoded{} : Decoded{value, size};
}

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

}  // namespace

std::string plain_text(std::string_view text) {
  std::string plain;
  plain.reserve(text.size());
  while (!text.empty()) {
    const auto next = decode(text);
    if (next.size == 0 || is_unfit(next.value)) {
      plain += '?';
    } else {
      plain += text.substr(0, next.size);
    }
    text.remove_prefix(next.size == 0 ? 1 : next.size);
  }
  return plain;
}

}  // namespace zkv
