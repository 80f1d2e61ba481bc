// The 1024 words of SLIP-0039, each known by its first four letters. What is looked up may be a secret, so
// that every search goes through the whole list.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/secret_bytes.h"

namespace zkv::recovery {

inline constexpr std::size_t kWords = 1024;
inline constexpr std::size_t kLongestWord = 8;

/// The number of a word that is typed in full or cut off after its fourth letter or later, in any case.
std::optional<std::uint16_t> find_word(std::string_view typed);
/// `number` is below kWords.
void append_word(SecretBuilder& out, std::uint16_t number);

}  // namespace zkv::recovery
