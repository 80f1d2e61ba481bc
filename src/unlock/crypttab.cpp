// Words with white space between them, the last of which has commas.
#include "unlock/crypttab.h"

#include <algorithm>
#include <sstream>

#include "unlock/option_words.h"
#include "unlock/system_tool.h"

namespace zkv::unlock {

std::vector<CrypttabLine> parse_crypttab(std::string_view text) {
  std::vector<CrypttabLine> lines;
  std::istringstream all{std::string(text)};
  for (std::string line; std::getline(all, line);) {
    std::istringstream words(line);
    CrypttabLine entry;
    std::string options;
    if (!(words >> entry.name >> entry.device) || entry.name.starts_with('#')) continue;
    words >> entry.key_file >> options;
    if (!entry.key_file.starts_with('/')) entry.key_file.clear();
    for (const auto option : option_words(options)) entry.options.emplace_back(option);
    lines.push_back(std::move(entry));
  }
  return lines;
}

bool has_option(const CrypttabLine& line, std::string_view word) {
  return std::any_of(line.options.begin(), line.options.end(), [&](const std::string& option) {
    return word.ends_with('=') ? option.starts_with(word) : option == word;
  });
}

bool is_of_initramfs(const CrypttabLine& line) {
  return has_option(line, "initramfs") || has_option(line, "x-initrd.attach");
}

bool asks_us(const CrypttabLine& line) { return line.key_file == kCryptsetupSocket; }

Result<std::vector<CrypttabLine>> lines_that_ask(const std::filesystem::path& crypttab) {
  const auto text = read_system_table(crypttab);
  if (!text && text.error().kind() == ErrorKind::kNotFound) return std::vector<CrypttabLine>();
  if (!text) return Error(text.error());
  auto lines = parse_crypttab(*text);
  std::erase_if(lines, [](const CrypttabLine& line) { return !asks_us(line); });
  return lines;
}

std::vector<std::string> names_in_crypttab(const std::filesystem::path& crypttab) {
  std::vector<std::string> names;
  const auto text = read_system_table(crypttab);
  if (!text) return names;
  for (auto& line : parse_crypttab(*text)) names.push_back(std::move(line.name));
  return names;
}

bool is_for_one_boot(const CrypttabLine& line) {
  return line.key_file.starts_with("/dev/") ||
         std::any_of(line.options.begin(), line.options.end(), [](const std::string& option) {
           return option == "swap" || option == "tmp" || option.starts_with("tmp=");
         });
}

}  // namespace zkv::unlock
