// Findings are made of the lines; the changes too, so that what one asks for the other makes.
#include "host/crypttab_setup.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <sstream>
#include <system_error>

#include "base/encoding.h"
#include "base/file.h"
#include "unlock/block_devices.h"
#include "unlock/option_words.h"
#include "unlock/system_tool.h"

namespace zkv::host {

namespace fs = std::filesystem;

namespace {

using unlock::CrypttabLine;

constexpr std::array<std::string_view, 4> kKindsOfCrypttab{"luks", "plain", "bitlk", "tcrypt"};
constexpr std::string_view kNoLimit =
    "# By zkv crypttab: whoever waits for this mapping waits as long as it takes a person to agree.\n"
    "[Unit]\n"
    "JobTimeoutSec=infinity\n"
    "JobRunningTimeoutSec=infinity\n";

/// None without the file.
Result<std::string> text_of(const fs::path& path) {
  auto text = unlock::read_system_table(path);
  if (!text && text.error().kind() == ErrorKind::kNotFound) return std::string();
  return text;
}

/// The name of the mapping's unit. Source: systemd.unit(5), "STRING ESCAPING".
std::string unit_of_mapping(std::string_view name) {
  std::string unit = "dev-mapper-";
  for (const char c : name) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                          c == ':' || c == '_' || c == '.';
    const auto byte = static_cast<std::uint8_t>(c);
    unit += is_plain ? std::string(1, c) : "\\x" + to_hex({&byte, 1});
  }
  return unit + ".device";
}

fs::path limit_file(const std::string& name, const CrypttabPlaces& places) {
  return places.units / (unit_of_mapping(name) + ".d") / "zkv.conf";
}

bool asks_us(const CrypttabLine& line, const CrypttabPlaces& places) {
  return line.key_file == places.socket.string();
}

/// Without nofail systemd-cryptsetup-generator itself takes the time limit away.
bool has_time(const CrypttabLine& line, const CrypttabPlaces& places) {
  std::error_code failed;
  return !has_option(line, "nofail") || fs::exists(limit_file(line.name, places), failed);
}

bool lies_on(const CrypttabLine& line, const VolumeOfKind& known, const CrypttabPlaces& places) {
  if (line.device == known.volume.settings.device) return true;
  const auto one = unlock::find_device(line.device, places.devices);
  const auto other = unlock::find_device(known.volume.settings.device, places.devices);
  return one && other && *one == *other;
}

std::string command_to_install(const std::string& name) { return "zkv crypttab install " + name; }

void check_line(const CrypttabLine& line, bool is_known, const CrypttabPlaces& places,
                std::vector<CrypttabFinding>& findings) {
  if (!has_option(line, "_netdev")) {
    findings.push_back({line.name,
                        "its line lacks _netdev, so that the boot waits for it before the network is up",
                        is_known ? command_to_install(line.name) : "add _netdev to its options"});
  }
  if (!has_time(line, places)) {
    findings.push_back({line.name, "systemd stops waiting for its mapping after a minute and a half",
                        is_known ? command_to_install(line.name) : "take nofail out of its options"});
  }
}

/// That line and volume are of one name, and not of one device.
bool lies_elsewhere(const CrypttabLine& line, const VolumeOfKind& known, const CrypttabPlaces& places) {
  const auto one = unlock::find_device(line.device, places.devices);
  const auto other = unlock::find_device(known.volume.settings.device, places.devices);
  return one && other && *one != *other;
}

bool is_of_system(const CrypttabLine& line, const unlock::SystemVolumes& system) {
  return is_of_initramfs(line) || system.hold("luks", {line.name, {.device = line.device}});
}

void check_line_of_system(const CrypttabLine& line, const CrypttabPlaces& places,
                          std::vector<CrypttabFinding>& findings) {
  if (!asks_us(line, places)) return;
  findings.push_back({line.name,
                      "this system lies on it, and " + places.socket.string() +
                          " is not there when it is opened: the next boot cannot",
                      "write none in place of " + places.socket.string() +
                          " into its line, take _netdev and nofail out, and update-initramfs -u -k all"});
}

void check_name(const CrypttabLine& line, const std::vector<VolumeOfKind>& volumes, bool knows_all,
                const CrypttabPlaces& places, std::vector<CrypttabFinding>& findings) {
  const auto named = std::find_if(volumes.begin(), volumes.end(),
                                  [&](const VolumeOfKind& known) { return known.volume.name == line.name; });
  if (named != volumes.end()) {
    if (!lies_elsewhere(line, *named, places)) return;
    return findings.push_back({line.name, "its line names another device than the repository",
                               "put " + named->volume.settings.device + " in the place of " + line.device});
  }
  const auto same = std::find_if(volumes.begin(), volumes.end(),
                                 [&](const VolumeOfKind& known) { return lies_on(line, known, places); });
  if (same != volumes.end()) {
    findings.push_back({line.name,
                        "the repository knows it as " + same->volume.name + ", and keys go by the name",
                        "zkv crypttab remove " + line.name + " && " + command_to_install(same->volume.name)});
  } else if (knows_all || !volumes.empty()) {
    findings.push_back({line.name,
                        knows_all ? "the repository holds no volume of that name"
                                  : "no volume of that name is known here, which would be given a key",
                        "take the line out, or: zkv volume add --device " + line.device + " " + line.name});
  }
}

void check_socket(const CrypttabPlaces& places, std::vector<CrypttabFinding>& findings) {
  static constexpr mode_t kPermissions = 07777;
  struct stat info {};
  if (::lstat(places.socket.c_str(), &info) != 0) return;
  const bool is_sound = S_ISSOCK(info.st_mode) && info.st_uid == 0 && (info.st_mode & kPermissions) == 0600;
  if (is_sound) return;
  findings.push_back({{},
                      places.socket.string() + " is not a socket that only root can use",
                      "systemctl restart zfs-keyvault.service"});
}

void check_units(const CrypttabPlaces& places, std::vector<CrypttabFinding>& findings) {
  for (const std::string unit : {"remote-cryptsetup.target", "zfs-keyvault.service"}) {
    if (is_enabled(unit, places)) continue;
    findings.push_back(
        {{}, unit + " is not enabled, so that no boot opens them", "systemctl enable " + unit});
  }
}

/// The words of the repository for crypttab, without those that choose a part of the key: that we do.
Result<std::vector<std::string>> options_for_crypttab(const VolumeOfKind& known) {
  const bool is_known =
      std::find(kKindsOfCrypttab.begin(), kKindsOfCrypttab.end(), known.kind) != kKindsOfCrypttab.end();
  if (!is_known) return Error::unsupported("systemd opens no volumes of kind " + known.kind + " by crypttab");
  std::vector<std::string> options{known.kind};
  for (const auto word : unlock::option_words(known.volume.settings.options)) {
    if (word == "volume-key" || word.starts_with("check")) {
      return Error::unsupported("crypttab has no word for " + std::string(word));
    }
    if (!word.starts_with("keyfile-")) options.emplace_back(word);
  }
  options.insert(options.end(), {"_netdev", "nofail"});
  return options;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : ",") + word;
  return text;
}

/// `line` with the key from us, and the options that it lacks.
std::string line_for(const VolumeOfKind& known, CrypttabLine line, const std::vector<std::string>& wanted,
                     const CrypttabPlaces& places) {
  for (const auto& word : wanted) {
    const auto name = word.substr(0, word.find('=') == std::string::npos ? word.size() : word.find('=') + 1);
    if (!has_option(line, name)) line.options.push_back(word);
  }
  return known.volume.name + " " + line.device + " " + places.socket.string() + " " + joined(line.options);
}

/// The text with each line that `change` gives something else for, a line's end included; "" takes it out.
template <class Change>
std::string with_lines_changed(const std::string& text, const Change& change) {
  std::string changed;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const auto parsed = unlock::parse_crypttab(line);
    changed += parsed.empty() ? line + "\n" : change(parsed.front(), line + "\n");
  }
  return changed;
}

Result<std::string> with_volume(const std::string& text, const VolumeOfKind& known,
                                const CrypttabPlaces& places) {
  ZKV_TRY(const auto wanted, options_for_crypttab(known));
  bool is_there = false;
  auto changed = with_lines_changed(text, [&](const CrypttabLine& line, const std::string& whole) {
    if (line.name != known.volume.name) return whole;
    is_there = true;
    const auto is_sound = [&](const std::string& word) { return has_option(line, word); };
    if (asks_us(line, places) && std::all_of(wanted.begin(), wanted.end(), is_sound)) return whole;
    return line_for(known, line, wanted, places) + "\n";
  });
  if (is_there) return changed;
  if (known.volume.settings.device.empty()) {
    return Error::unsupported("it is not known where " + known.volume.name + " lies");
  }
  return changed +
         line_for(known, {known.volume.name, known.volume.settings.device, {}, {}}, wanted, places) + "\n";
}

void add_change(std::vector<FileChange>& changes, FileChange change) {
  if (change.before != change.after) changes.push_back(std::move(change));
}

}  // namespace

bool is_enabled(const std::string& unit, const CrypttabPlaces& places) {
  std::error_code failed;
  return fs::is_symlink(places.units / "multi-user.target.wants" / unit, failed);
}

Result<std::vector<CrypttabFinding>> check_crypttab(const std::vector<VolumeOfKind>& volumes, bool knows_all,
                                                    const unlock::SystemVolumes& system,
                                                    const CrypttabPlaces& places) {
  ZKV_TRY(const auto text, text_of(places.crypttab));
  std::vector<CrypttabFinding> findings;
  bool is_asked = false;
  for (const auto& line : unlock::parse_crypttab(text)) {
    if (is_of_system(line, system)) {
      check_line_of_system(line, places, findings);
      continue;
    }
    if (asks_us(line, places)) {
      is_asked = true;
      const bool is_known = std::ranges::any_of(
          volumes, [&](const VolumeOfKind& known) { return known.volume.name == line.name; });
      check_line(line, is_known, places, findings);
      check_name(line, volumes, knows_all, places, findings);
      continue;
    }
    const bool is_ours = std::any_of(volumes.begin(), volumes.end(), [&](const VolumeOfKind& known) {
      return known.volume.name == line.name || lies_on(line, known, places);
    });
    if (is_ours && !has_option(line, "noauto")) {
      findings.push_back({line.name,
                          line.key_file.empty()
                              ? "the boot asks for it on the console, beside zkv"
                              : "the boot opens it with " + line.key_file + ", and asks nobody",
                          command_to_install(line.name)});
    }
  }
  if (is_asked) check_units(places, findings);
  check_socket(places, findings);
  return findings;
}

Result<std::vector<FileChange>> plan_crypttab(const std::vector<VolumeOfKind>& volumes,
                                              const CrypttabPlaces& places) {
  ZKV_TRY(const auto before, text_of(places.crypttab));
  std::string after = before;
  if (!after.empty() && !after.ends_with('\n')) after += '\n';
  std::vector<FileChange> changes;
  for (const auto& known : volumes) {
    ZKV_TRY(after, with_volume(after, known, places));
    const auto limit = limit_file(known.volume.name, places);
    ZKV_TRY(const auto limit_before, text_of(limit));
    add_change(changes, {limit, limit_before, std::string(kNoLimit)});
  }
  add_change(changes, {places.crypttab, before, after});
  return changes;
}

Result<std::vector<FileChange>> plan_crypttab_removal(const std::vector<std::string>& volumes,
                                                      const CrypttabPlaces& places) {
  ZKV_TRY(const auto before, text_of(places.crypttab));
  std::string after = before;
  std::vector<FileChange> changes;
  for (const auto& name : volumes) {
    const auto with_it = after;
    after = with_lines_changed(after, [&](const CrypttabLine& line, const std::string& whole) {
      return line.name == name && asks_us(line, places) ? std::string() : whole;
    });
    if (after == with_it) {
      return Error::not_found("no line of " + places.crypttab.string() + " asks zkv for the key of " + name);
    }
    const auto limit = limit_file(name, places);
    ZKV_TRY(const auto limit_before, text_of(limit));
    add_change(changes, {limit, limit_before, {}});
  }
  add_change(changes, {places.crypttab, before, after});
  return changes;
}

namespace {

bool holds_our_lines(const std::string& crypttab, const CrypttabPlaces& places) {
  bool found = false;
  static_cast<void>(with_lines_changed(crypttab, [&](const CrypttabLine& line, const std::string& whole) {
    found |= asks_us(line, places);
    return whole;
  }));
  return found;
}

}  // namespace

Result<> make_changes(const std::vector<FileChange>& changes, const CrypttabPlaces& places) {
  static constexpr mode_t kForAll = 0644;
  for (const auto& [path, before, after] : changes) {
    std::error_code failed;
    const bool is_crypttab = path == places.crypttab;
    if (after.empty() && !is_crypttab) {
      fs::remove(path, failed);
      fs::remove(path.parent_path(), failed);  // Only where nothing else is in it.
      continue;
    }
    fs::create_directories(path.parent_path(), failed);
    if (failed) return Error::system("making " + path.parent_path().string(), failed.value());
    ReplaceOptions options{.mode = kForAll, .previous = std::nullopt};
    if (is_crypttab && !before.empty() && !holds_our_lines(before, places)) {
      options.previous = path.string() + ".zkv-old";
    }
    const auto bytes = bytes_of(after);
    ZKV_CHECK(replace_file(path, bytes, options));
  }
  return {};
}

}  // namespace zkv::host
