// UTF-8 after RFC 3629.
#include "base/utf8.h"

namespace zkv {

namespace {

struct Lead {
  std::size_t size;
  std::uint32_t bits;
  std::uint32_t least;  ///< a smaller value would have a shorter form
};

Lead read_lead(std::uint8_t byte) {
  if (byte < 0x80) return {1, byte, 0};
  if (byte >= 0xc2 && byte <= 0xdf) return {2, byte & 0x1fU, 0x80};
  if (byte >= 0xe0 && byte <= 0xef) return {3, byte & 0x0fU, 0x800};
  if (byte >= 0xf0 && byte <= 0xf4) return {4, byte & 0x07U, 0x10000};
  return {0, 0, 0};
}

std::uint8_t continuation(std::uint32_t value, unsigned shift) {
  return static_cast<std::uint8_t>(0x80 | (value >> shift & 0x3f));
}

}  // namespace

CodePoint first_code_point(std::span<const std::uint8_t> text) {
  const Lead lead = read_lead(text.front());
  if (lead.size == 0 || lead.size > text.size()) return {};
  std::uint32_t value = lead.bits;
  for (const std::uint8_t byte : text.subspan(1, lead.size - 1)) {
    if ((byte & 0xc0) != 0x80) return {};
    value = value << 6 | (byte & 0x3fU);
  }
  const bool surrogate = value >= 0xd800 && value <= 0xdfff;
  if (value < lead.least || value > 0x10ffff || surrogate) return {};
  return {value, lead.size};
}

Utf8 to_utf8(std::uint32_t value) {
  if (value < 0x80) return {{static_cast<std::uint8_t>(value)}, 1};
  if (value < 0x800) return {{static_cast<std::uint8_t>(0xc0 | value >> 6), continuation(value, 0)}, 2};
  if (value < 0x10000) {
    return {{static_cast<std::uint8_t>(0xe0 | value >> 12), continuation(value, 6), continuation(value, 0)},
            3};
  }
  return {{static_cast<std::uint8_t>(0xf0 | value >> 18), continuation(value, 12), continuation(value, 6),
           continuation(value, 0)},
          4};
}

}  // namespace zkv
