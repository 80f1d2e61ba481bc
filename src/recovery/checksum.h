// Inside this room only: the last three words of a part, which check the others. The Reed-Solomon code RS1024
// of SLIP-0039: whatever happens to up to three words is noticed, and where one alone is wrong, or two
// neighbours changed places, there is only one place where that can be.
#pragma once

#include <optional>

#include "recovery/words.h"

namespace zkv::recovery {

inline constexpr std::size_t kChecksumWords = 3;

/// Fills in the last three words.
void add_checksum(Words& words, bool is_extendable);
bool has_right_checksum(const Words& words, bool is_extendable);

struct Mistake {
  std::size_t place = 0;  ///< of the word, counted from 0
  bool is_swap = false;   ///< with the one after it
};
/// Where words with a wrong checksum went wrong, if only one mistake can be the cause.
std::optional<Mistake> find_mistake(const Words& words, bool is_extendable);

}  // namespace zkv::recovery
