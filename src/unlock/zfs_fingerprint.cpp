// `zfs get` for what stays, `zpool history -i` for what happened.
#include "unlock/zfs_fingerprint.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "unlock/zfs_pool.h"
#include "unlock/zfs_program.h"
#include "unlock/zfs_properties.h"

namespace zkv::unlock {

namespace {

/// Properties, and what each is called when it is another, in words that follow "its".
constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kMarks{
    {{"guid", "identity (guid)"},
     {"keyformat", "keyformat"},
     {"pbkdf2salt", "salt (pbkdf2salt)"},
     {"pbkdf2iters", "pbkdf2iters"}}};
constexpr std::string_view kMarkProperties = "guid,keyformat,pbkdf2salt,pbkdf2iters";

std::string_view next_line(std::string_view& text) {
  const auto end = text.find('\n');
  const auto line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

void take_property(std::string_view line, std::map<std::string, Fingerprint>& all) {
  const auto first = line.find('\t');
  const auto second = first == std::string_view::npos ? first : line.find('\t', first + 1);
  if (second == std::string_view::npos) return;
  const auto property = line.substr(first + 1, second - first - 1);
  const auto found = all.find(std::string(line.substr(0, first)));
  if (found == all.end()) return;
  for (const auto& [name, words] : kMarks) {
    if (name == property) found->second.marks[std::string(words)] = line.substr(second + 1);
  }
}

bool has_salt(const Fingerprint& fingerprint) {
  const auto format = fingerprint.marks.find("keyformat");
  return format != fingerprint.marks.end() && format->second == "passphrase";
}

void look_into_history(std::map<std::string, Fingerprint>& all, const ZfsOptions& options) {
  std::map<std::string, Result<std::string>> histories;
  for (auto& [name, fingerprint] : all) {
    if (fingerprint.marks.empty() || has_salt(fingerprint)) continue;
    const std::string pool(pool_of(name));
    auto history = histories.find(pool);
    if (history == histories.end()) {
      history = histories.emplace(pool, history_of_pool(pool, options)).first;
    }
    if (history->second) fingerprint.last_change = last_key_change(*history->second, name);
    if (!history->second) {
      fingerprint.unseen =
          "the history of pool " + pool + " cannot be read: " + history->second.error().message();
    }
  }
}

}  // namespace

std::string last_key_change(std::string_view history, std::string_view name) {
  static constexpr std::string_view kCommand = " zfs change-key ";
  static constexpr std::string_view kCall = " ioctl change-key";
  std::string named;
  std::string nameless;
  std::string_view open;  // the time of a call that no command line has followed yet
  while (!history.empty()) {
    const auto line = next_line(history);
    const auto time = line.substr(0, line.find(' '));
    const auto rest = line.substr(time.size());
    if (rest.starts_with(kCommand)) {
      open = {};
      if (rest.ends_with(" " + std::string(name))) named = time;
    } else if (rest == kCall) {
      if (!open.empty()) nameless = open;
      open = time;
    }
  }
  if (!open.empty()) nameless = open;
  return std::max(named, nameless);
}

std::vector<Fingerprint> zfs_fingerprints(const std::vector<std::string>& names, const ZfsOptions& options) {
  std::map<std::string, Fingerprint> all;
  std::vector<std::string> asked;
  for (const auto& name : names) {
    all[name] = {name};
    if (is_dataset_name(name)) asked.push_back(name);
  }
  const auto program = ZfsProgram::find(options.program, options.limit);
  if (program && !asked.empty()) {
    const auto values = program->values(asked, kMarkProperties);
    if (!values) {
      for (auto& [name, fingerprint] : all) fingerprint.unseen = values.error().message();
    }
    std::string_view lines = values ? std::string_view(*values) : std::string_view();
    while (!lines.empty()) take_property(next_line(lines), all);
  }
  look_into_history(all, options);
  std::vector<Fingerprint> ordered;
  ordered.reserve(names.size());
  for (const auto& name : names) ordered.push_back(all[name]);
  return ordered;
}

}  // namespace zkv::unlock
