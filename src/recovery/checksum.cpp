// The code's remainder, and the search for the one word that would make it right.
#include "recovery/checksum.h"

#include <array>
#include <string_view>

#include "recovery/word_list.h"

namespace zkv::recovery {

namespace {

constexpr std::array<std::uint32_t, 10> kGenerator{0xE0E040,   0x1C1C080,  0x3838100,  0x7070200,  0xE0E0009,
                                                   0x1C0C2412, 0x38086C24, 0x3090FC48, 0x21B1F890, 0x3F3F120};

std::string_view customization(bool is_extendable) { return is_extendable ? "shamir_extendable" : "shamir"; }

std::uint32_t step(std::uint32_t remainder, std::uint32_t symbol) {
  const std::uint32_t leaving = remainder >> 20U;
  remainder = (remainder & 0xFFFFFU) << 10U ^ symbol;
  for (unsigned bit = 0; bit < kGenerator.size(); ++bit) {
    remainder ^= kGenerator[bit] & (0U - (leaving >> bit & 1U));
  }
  return remainder;
}

/// Of the customization string and all words; 1 is right.
std::uint32_t remainder_of(const Words& words, bool is_extendable) {
  std::uint32_t remainder = 1;
  for (const char c : customization(is_extendable))
    remainder = step(remainder, static_cast<unsigned char>(c));
  for (std::size_t i = 0; i < words.size(); ++i) remainder = step(remainder, words.at(i));
  return remainder;
}

/// What `difference` in a word leaves in the remainder when so many words follow it: the code is linear.
std::uint32_t trace_of(std::uint32_t difference, std::size_t following) {
  for (std::size_t i = 0; i < following; ++i) difference = step(difference, 0);
  return difference;
}

}  // namespace

void add_checksum(Words& words, bool is_extendable) {
  const std::size_t first = words.size() - kChecksumWords;
  for (std::size_t i = first; i < words.size(); ++i) words.set(i, 0);
  const std::uint32_t remainder = remainder_of(words, is_extendable) ^ 1U;
  for (std::size_t i = 0; i < kChecksumWords; ++i) {
    words.set(first + i, remainder >> (10 * (kChecksumWords - 1 - i)) & 0x3FFU);
  }
}

bool has_right_checksum(const Words& words, bool is_extendable) {
  return remainder_of(words, is_extendable) == 1;
}

std::optional<Mistake> find_mistake(const Words& words, bool is_extendable) {
  const std::uint32_t wrong = remainder_of(words, is_extendable) ^ 1U;
  for (std::size_t place = 0; place < words.size(); ++place) {
    const std::size_t following = words.size() - 1 - place;
    for (std::uint32_t difference = 1; difference < kWords; ++difference) {
      if (trace_of(difference, following) == wrong) return Mistake{place, false};
    }
    if (following == 0) continue;
    const auto difference = static_cast<std::uint32_t>(words.at(place) ^ words.at(place + 1));
    if ((trace_of(difference, following) ^ trace_of(difference, following - 1)) == wrong) {
      return Mistake{place, true};
    }
  }
  return std::nullopt;
}

}  // namespace zkv::recovery
