// A reader for the tables of zfs(8).
#include "unlock/zfs_properties.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <optional>
#include <set>

namespace zkv::unlock {

namespace {

constexpr std::size_t kPropertyCount = 12;
constexpr std::size_t kLongestName = 255;

Error not_understood(std::string_view what) {
  return Error::corrupt("the answer of zfs(8) is not understood: " + std::string(what));
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return lines;
}

bool read_format(std::string_view value, Dataset& dataset) {
  if (value == "raw") dataset.key.format = KeyFormat::kRaw;
  if (value == "hex") dataset.key.format = KeyFormat::kHex;
  if (value == "passphrase") dataset.key.format = KeyFormat::kPassphrase;
  return dataset.key.format != KeyFormat::kNone || value == "none" || value == "-";
}

bool read_number(std::string_view value, std::uint64_t& number) {
  if (value == "-" || value == "none") return true;
  const auto [end, failed] = std::from_chars(value.data(), value.data() + value.size(), number);
  return failed == std::errc() && end == value.data() + value.size();
}

/// One of two words; a dash stands for "does not apply".
bool read_choice(std::string_view value, std::string_view yes, std::string_view no, bool& choice) {
  choice = value == yes;
  return choice || value == no || value == "-" || value == "none";
}

bool read_can_mount(std::string_view value, Dataset& dataset) {
  dataset.can_mount = value;
  return value == "on" || value == "off" || value == "noauto" || value == "-";
}

bool read_property(std::string_view property, std::string_view value, Dataset& dataset) {
  if (property == "type") {
    dataset.is_filesystem = value == "filesystem";
    return dataset.is_filesystem || value == "volume";
  }
  if (property == "keyformat") return read_format(value, dataset);
  if (property == "keystatus") return read_choice(value, "available", "unavailable", dataset.is_key_loaded);
  if (property == "pbkdf2iters") return read_number(value, dataset.key.iterations);
  if (property == "pbkdf2salt") return read_number(value, dataset.key.salt);
  if (property == "mounted") return read_choice(value, "yes", "no", dataset.is_mounted);
  if (property == "zoned") return read_choice(value, "on", "off", dataset.is_zoned);
  if (property == "receive_resume_token") {
    dataset.has_resume_token = value != "-";
    return !value.empty();
  }
  if (property == "canmount") return read_can_mount(value, dataset);
  if (property == "keylocation") {
    static constexpr std::string_view kFile = "file://";
    if (value.starts_with(kFile)) dataset.key_file = value.substr(kFile.size());
    return !value.empty();
  }
  if (property == "encryptionroot") {
    dataset.encryption_root = value == "-" ? "" : value;
    return value == "-" || is_dataset_name(value);
  }
  if (property == "mountpoint") {
    dataset.mountpoint = value;
    return value.starts_with('/') || value == "none" || value == "legacy" || value == "-";
  }
  return false;
}

struct Columns {
  std::string_view name, property, value;
};

/// Nothing where the line is none of a dataset's.
std::optional<Columns> columns_of(std::string_view line) {
  const std::size_t first = line.find('\t');
  const std::size_t second = first == std::string_view::npos ? first : line.find('\t', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  const Columns words{line.substr(0, first), line.substr(first + 1, second - first - 1),
                      line.substr(second + 1)};
  return is_dataset_name(words.name) ? std::optional(words) : std::nullopt;
}

void make_unclear(Dataset& dataset, std::string_view why) {
  if (dataset.unclear.empty()) dataset.unclear = why;
}

}  // namespace

Result<Datasets> parse_datasets(std::string_view text) {
  Datasets datasets;
  Dataset* current = nullptr;
  std::set<std::string, std::less<>> seen;
  for (const auto line : lines_of(text)) {
    const auto words = columns_of(line);
    const bool is_whole = current == nullptr || seen.size() >= kPropertyCount;
    if (!words && current == nullptr) return not_understood(line);
    if (words && is_whole && (current == nullptr || words->name != current->name)) {
      const auto [entry, is_new] = datasets.try_emplace(std::string(words->name));
      current = &entry->second;
      current->name = words->name;
      seen.clear();
      if (!is_new) make_unclear(*current, "it comes twice");
    }
    const bool is_its_own = words && words->name == current->name;
    if (!is_its_own || !seen.insert(std::string(words->property)).second ||
        !read_property(words->property, words->value, *current)) {
      make_unclear(*current, line);
    }
  }
  if (current != nullptr && seen.size() < kPropertyCount) make_unclear(*current, "properties are missing");
  return datasets;
}

Result<std::map<std::string, std::string, std::less<>>> parse_missing(std::string_view text) {
  constexpr std::string_view kOpening = "cannot open '";
  constexpr std::string_view kClosing = "': ";
  std::map<std::string, std::string, std::less<>> missing;
  for (const auto line : lines_of(text)) {
    if (line.empty()) continue;
    const std::size_t end = line.find(kClosing);
    if (!line.starts_with(kOpening) || end == std::string_view::npos) {
      return Error::io("zfs: " + std::string(line));
    }
    const std::string name(line.substr(kOpening.size(), end - kOpening.size()));
    missing[name] = std::string(line.substr(end + kClosing.size()));
  }
  return missing;
}

bool is_dataset_name(std::string_view name) {
  constexpr std::string_view kPunctuation = "-_.:% ";
  if (name.empty() || name.size() > kLongestName || std::isalpha(static_cast<unsigned char>(name[0])) == 0) {
    return false;
  }
  if (name.ends_with('/') || name.find("//") != std::string_view::npos) return false;
  return std::all_of(name.begin(), name.end(), [&](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '/' ||
           kPunctuation.find(c) != std::string_view::npos;
  });
}

std::string_view pool_of(std::string_view name) { return name.substr(0, name.find('/')); }

}  // namespace zkv::unlock
