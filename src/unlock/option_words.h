// Options as crypttab, fstab and the repository write them: words with commas between.
#pragma once

#include <string_view>
#include <vector>

namespace zkv::unlock {

/// The words of `options`, which they point into; empty ones are passed over.
std::vector<std::string_view> option_words(std::string_view options);

bool has_option_word(std::string_view options, std::string_view wanted);

}  // namespace zkv::unlock
