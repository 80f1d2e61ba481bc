// Cutting at commas.
#include "unlock/option_words.h"

#include <algorithm>

namespace zkv::unlock {

std::vector<std::string_view> option_words(std::string_view options) {
  std::vector<std::string_view> words;
  while (!options.empty()) {
    const auto word = options.substr(0, options.find(','));
    options.remove_prefix(std::min(word.size() + 1, options.size()));
    if (!word.empty()) words.push_back(word);
  }
  return words;
}

bool has_option_word(std::string_view options, std::string_view wanted) {
  const auto words = option_words(options);
  return std::find(words.begin(), words.end(), wanted) != words.end();
}

}  // namespace zkv::unlock
