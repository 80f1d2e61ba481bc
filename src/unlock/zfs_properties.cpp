// A reader for the tables of zfs(8).
#include "unlock/zfs_properties.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <optional>
#include <utility>

#include "crypto/random.h"

namespace zkv::unlock {

namespace {

constexpr std::array<std::string_view, 12> kProperties{
    "type",    "keyformat",  "keystatus", "encryptionroot", "pbkdf2iters", "pbkdf2salt",
    "mounted", "mountpoint", "canmount",  "keylocation",    "zoned",       "receive_resume_token"};
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

/// The lines from `first` on that are one dataset's, in the order that they must have.
std::size_t matching_lines(const std::vector<std::string_view>& lines, std::size_t first,
                           const std::vector<std::string>& order) {
  const auto begin = columns_of(lines[first]);
  std::size_t count = 0;
  for (; begin && count < order.size() && first + count < lines.size(); ++count) {
    const auto columns = columns_of(lines[first + count]);
    if (!columns || columns->name != begin->name || columns->property != order[count]) break;
  }
  return count;
}

Dataset read_dataset(const std::vector<std::string_view>& lines, std::size_t first, std::size_t count) {
  Dataset dataset;
  dataset.name = columns_of(lines[first])->name;
  for (std::size_t i = first; i < first + count; ++i) {
    const auto columns = columns_of(lines[i]);
    if (!read_property(columns->property, columns->value, dataset)) make_unclear(dataset, lines[i]);
  }
  return dataset;
}

}  // namespace

std::vector<std::string> shuffled_properties() {
  std::vector<std::string> order(kProperties.begin(), kProperties.end());
  for (std::size_t left = order.size(); left > 1; --left) {
    std::swap(order[left - 1], order[crypto::random_below(static_cast<std::uint32_t>(left))]);
  }
  return order;
}

Result<Datasets> parse_datasets(std::string_view text, const std::vector<std::string>& order) {
  const auto lines = lines_of(text);
  Datasets datasets;
  Datasets broken;
  Dataset* last = nullptr;
  for (std::size_t i = 0; i < lines.size();) {
    const auto count = matching_lines(lines, i, order);
    if (count == order.size()) {
      auto dataset = read_dataset(lines, i, count);
      const auto [entry, is_new] = datasets.try_emplace(dataset.name, std::move(dataset));
      if (!is_new) make_unclear(entry->second, "it comes twice");
      last = &entry->second;
      i += count;
      continue;
    }
    const bool is_stray = count == 0 || (last != nullptr && columns_of(lines[i])->name == last->name);
    if (is_stray && last != nullptr) make_unclear(*last, lines[i]);
    if (count > 0) {
      auto& dataset = broken[std::string(columns_of(lines[i])->name)];
      dataset.name = columns_of(lines[i])->name;
      make_unclear(dataset, i + count < lines.size() ? lines[i + count] : "properties are missing");
      last = &dataset;
    }
    i += std::max<std::size_t>(count, 1);
  }
  datasets.merge(broken);
  if (datasets.empty() && !lines.empty()) return not_understood(lines.front());
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
