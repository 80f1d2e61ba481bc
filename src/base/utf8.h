// Code points and their UTF-8 bytes.
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace zkv {

struct CodePoint {
  std::uint32_t value = 0;
  std::size_t size = 0;  ///< bytes it took; 0 when the bytes are not UTF-8
};

/// The first code point of `text`, which is not empty. RFC 3629: shortest forms only, no surrogates.
CodePoint first_code_point(std::span<const std::uint8_t> text);

struct Utf8 {
  std::array<std::uint8_t, 4> bytes{};
  std::size_t size = 0;
};
/// `value` is at most U+10FFFF.
Utf8 to_utf8(std::uint32_t value);

}  // namespace zkv
