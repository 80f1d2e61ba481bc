// Words with white space or tabs between them.
#include "doctor/tables.h"

#include <sstream>

namespace zkv::doctor {

namespace {

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, separator);) parts.push_back(part);
  return parts;
}

std::string without_quotes(const std::string& value) {
  const bool is_quoted =
      value.size() >= 2 && (value[0] == '"' || value[0] == '\'') && value.back() == value[0];
  return is_quoted ? value.substr(1, value.size() - 2) : value;
}

/// Without white space at either end.
std::string stripped(const std::string& text) {
  const auto first = text.find_first_not_of(" \t\r");
  return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

}  // namespace

std::vector<FstabEntry> parse_whole_fstab(std::string_view text) {
  std::vector<FstabEntry> entries;
  for (const auto& line : split(std::string(text), '\n')) {
    std::istringstream words(line);
    FstabEntry entry;
    std::string options;
    if (!(words >> entry.source >> entry.mountpoint >> entry.type) || entry.source.starts_with('#')) continue;
    words >> options;
    entry.options = split(options, ',');
    entries.push_back(std::move(entry));
  }
  return entries;
}

std::vector<CachedFilesystem> parse_zfs_list_cache(std::string_view text) {
  enum Column : std::size_t { kName, kMountpoint, kCanmount, kRoot = 10, kKeyLocation, kIgnore = 19 };
  std::vector<CachedFilesystem> filesystems;
  for (const auto& line : split(std::string(text), '\n')) {
    const auto columns = split(line, '\t');
    if (columns.size() <= kKeyLocation) continue;
    filesystems.push_back({columns[kName], columns[kMountpoint], columns[kCanmount], columns[kRoot],
                           columns[kKeyLocation], columns.size() > kIgnore && columns[kIgnore] == "on"});
  }
  return filesystems;
}

std::map<std::string, std::string, std::less<>> parse_environment_file(std::string_view text) {
  std::map<std::string, std::string, std::less<>> settings;
  for (const auto& raw : split(std::string(text), '\n')) {
    const auto line = stripped(raw);
    const auto equals = line.find('=');
    if (line.empty() || line[0] == '#' || line[0] == ';' || equals == std::string::npos) continue;
    settings[stripped(line.substr(0, equals))] = without_quotes(stripped(line.substr(equals + 1)));
  }
  return settings;
}

std::vector<std::string> parse_swaps(std::string_view text) {
  std::vector<std::string> paths;
  for (const auto& line : split(std::string(text), '\n')) {
    const auto path = line.substr(0, line.find_first_of(" \t"));
    if (path.starts_with('/')) paths.push_back(path);
  }
  return paths;
}

}  // namespace zkv::doctor
