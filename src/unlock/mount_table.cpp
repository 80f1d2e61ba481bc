// Words with spaces between them, and octal escapes in the words.
#include "unlock/mount_table.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <sstream>
#include <system_error>

namespace zkv::unlock {

namespace {

/// One byte from "\ooo" at `place`; nothing when it is not that.
std::optional<char> octal_at(std::string_view word, std::size_t place) {
  if (word.size() - place < 4) return std::nullopt;
  unsigned value = 0;
  for (const char digit : word.substr(place + 1, 3)) {
    if (digit < '0' || digit > '7') return std::nullopt;
    value = value * 8 + static_cast<unsigned>(digit - '0');
  }
  return static_cast<char>(value);
}

std::string without_escapes(std::string_view word) {
  std::string plain;
  for (std::size_t i = 0; i < word.size(); ++i) {
    const auto byte = word[i] == '\\' ? octal_at(word, i) : std::nullopt;
    plain += byte.value_or(word[i]);
    if (byte) i += 3;
  }
  return plain;
}

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream stream(line);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

template <class Take>
void for_each_line(std::string_view text, const Take& take) {
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) take(words_of(line));
}

/// Without the quotes that fstab(5) allows around a tag's value.
std::string without_quotes(std::string word) {
  const auto equals = word.find("=\"");
  if (equals == std::string::npos || !word.ends_with('"') || word.size() < equals + 3) return word;
  word.pop_back();
  word.erase(equals + 1, 1);
  return word;
}

}  // namespace

std::vector<Mounted> parse_mounted(std::string_view text) {
  std::vector<Mounted> mounted;
  for_each_line(text, [&](const std::vector<std::string>& words) {
    const auto dash = std::find(words.begin(), words.end(), "-");
    if (words.size() < 6 || words.end() - dash < 3) return;
    mounted.push_back(
        {words[2], without_escapes(words[4]), without_escapes(*(dash + 2)), *(dash + 1), words[5]});
  });
  return mounted;
}

bool has_source_of_root(const Mounted& mounted) {
  return mounted.type != "fuse" && !mounted.type.starts_with("fuse.");
}

std::vector<FstabLine> parse_fstab(std::string_view text) {
  std::vector<FstabLine> lines;
  for_each_line(text, [&](const std::vector<std::string>& words) {
    if (words.size() < 2 || words[0].starts_with('#') || !words[1].starts_with('/')) return;
    lines.push_back({without_quotes(without_escapes(words[0])), without_escapes(words[1]),
                     words.size() > 3 ? words[3] : std::string(), words.size() > 5 && words[5] != "0",
                     words.size() > 2 ? words[2] : std::string()});
  });
  return lines;
}

std::string clean_path(const std::string& path) {
  std::string clean = std::filesystem::path(path).lexically_normal();
  if (clean.size() > 1 && clean.ends_with('/')) clean.pop_back();
  return clean;
}

std::string real_path(const std::string& path) {
  std::error_code failed;
  const auto real = std::filesystem::weakly_canonical(path, failed);
  return failed ? path : clean_path(real);
}

}  // namespace zkv::unlock
