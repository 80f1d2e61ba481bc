// mount(8) and umount(8), which know fstab, filesystem types and their helpers.
#include "unlock/luks_mount.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <sstream>

#include "base/file.h"
#include "unlock/child_process.h"
#include "unlock/luks_options.h"

namespace zkv::unlock {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kTableLimit = std::size_t{16} << 20U;
constexpr std::chrono::milliseconds kMountLimit{300'000};

Result<std::string> read_table(const fs::path& path) {
  ZKV_TRY(const auto bytes, read_file(path, kTableLimit));
  return std::string(bytes.begin(), bytes.end());
}

/// Runs one of the system's programs; its complaint is the error.
Result<std::string> run_tool(const std::string& name, std::vector<std::string> words, int also_good = 0) {
  ZKV_TRY(const auto program, find_program(name));
  ZKV_TRY(auto finished, run({program, std::move(words), {}, kMountLimit}));
  if (finished.exit_code == 0 || finished.exit_code == also_good) return std::move(finished.output);
  std::string complaint = finished.errors.substr(0, finished.errors.find('\n'));
  if (complaint.empty()) complaint = name + " ended with code " + std::to_string(finished.exit_code);
  return Error::io(std::move(complaint));
}

/// "UUID=…" and the like of the filesystem on `device`.
Result<std::set<std::string>> tags_of(const LuksOptions& options, const std::string& device) {
  static constexpr int kNothingFound = 2;
  ZKV_TRY(const auto text, run_tool(options.blkid, {"-p", "-o", "export", "--", device}, kNothingFound));
  std::set<std::string> tags;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("UUID=") || line.starts_with("LABEL=")) tags.insert(line);
  }
  return tags;
}

MountOutcome mount_outcome(const VolumeRef& volume, const std::string& device, const std::string& place,
                           MountHappened happened, std::string detail = {}) {
  return {device, volume.name, place, happened, std::move(detail)};
}

}  // namespace

Result<LuksMounts> LuksMounts::read(const LuksOptions& options) {
  LuksMounts mounts(options);
  ZKV_TRY(const auto text, read_table(options.mount_table));
  mounts.mounted_ = parse_mounted(text);
  return mounts;
}

std::vector<std::string> LuksMounts::places_of(const Mapping& mapping) const {
  const auto path = (options_.devices / "mapper" / mapping.name).string();
  std::vector<std::string> places;
  for (const auto& one : mounted_) {
    if (one.number == mapping.number || one.source == path) places.push_back(one.mountpoint);
  }
  return places;
}

bool LuksMounts::is_mounted_at(const Mapping& mapping, const std::string& place) const {
  const auto places = places_of(mapping);
  return std::find(places.begin(), places.end(), place) != places.end();
}

Result<std::vector<std::string>> LuksMounts::places_in_fstab(const Mapping& mapping) const {
  const auto text = read_table(options_.fstab);
  if (!text && text.error().kind() == ErrorKind::kNotFound) return std::vector<std::string>();
  if (!text) return Error(text.error());
  const auto lines = parse_fstab(*text);
  const auto path = (options_.devices / "mapper" / mapping.name).string();
  const bool needs_tags = std::any_of(lines.begin(), lines.end(), [](const FstabLine& line) {
    return line.source.starts_with("UUID=") || line.source.starts_with("LABEL=");
  });
  std::set<std::string> names{path};
  if (needs_tags) {
    ZKV_TRY(const auto tags, tags_of(options_, path));
    names.insert(tags.begin(), tags.end());
  }
  std::vector<std::string> places;
  for (const auto& line : lines) {
    std::error_code failed;
    const bool is_ours = names.contains(line.source) ||
                         (line.source.starts_with('/') && fs::equivalent(line.source, path, failed));
    if (is_ours) places.push_back(line.mountpoint);
  }
  return places;
}

Result<std::vector<std::string>> LuksMounts::wanted_places(const VolumeRef& volume,
                                                           const Mapping& mapping) const {
  if (!volume.settings.mountpoint.empty()) return std::vector<std::string>{volume.settings.mountpoint};
  return places_in_fstab(mapping);
}

Result<> LuksMounts::mount_at(const VolumeRef& volume, const std::string& device,
                              const std::string& place) const {
  std::error_code failed;
  fs::create_directories(place, failed);
  if (failed) return Error::system("making " + place, failed.value());
  std::vector<std::string> words;
  if (!volume.settings.mountpoint.empty()) {
    ZKV_TRY(const auto wishes, parse_luks_options(volume.settings.options));
    words = wishes.is_read_only ? std::vector<std::string>{"-o", "ro", "--", device}
                                : std::vector<std::string>{"--", device};
  } else {
    words = {"--"};
  }
  words.push_back(place);
  return run_tool(options_.mount, std::move(words)).map([](const std::string&) {});
}

std::vector<MountOutcome> LuksMounts::mount(const VolumeRef& volume, const Mapping& mapping) const {
  const auto device = (options_.devices / "mapper" / mapping.name).string();
  const auto wanted = wanted_places(volume, mapping);
  if (!wanted) return {mount_outcome(volume, device, {}, MountHappened::kFailed, wanted.error().message())};
  std::vector<MountOutcome> outcomes;
  for (const auto& place : *wanted) {
    outcomes.push_back(mount_outcome(volume, device, place, MountHappened::kMounted));
    if (is_mounted_at(mapping, place)) {
      outcomes.back().happened = MountHappened::kAlreadyMounted;
      continue;
    }
    const auto done = mount_at(volume, device, place);
    if (done) continue;
    // systemd mounts what fstab has with nofail as soon as the mapping is there, and may have been first.
    const auto now = LuksMounts::read(options_);
    const bool was_first = now && now->is_mounted_at(mapping, place);
    outcomes.back().happened = was_first ? MountHappened::kAlreadyMounted : MountHappened::kFailed;
    if (!was_first) outcomes.back().detail = done.error().message();
  }
  return outcomes;
}

std::vector<MountOutcome> LuksMounts::unmount(const Mapping& mapping) const {
  const auto device = (options_.devices / "mapper" / mapping.name).string();
  const VolumeRef volume{mapping.name, {}};
  auto places = places_of(mapping);
  std::reverse(places.begin(), places.end());
  std::vector<MountOutcome> outcomes;
  for (const auto& place : places) {
    const auto done = run_tool(options_.umount, {"--", place});
    outcomes.push_back(
        done ? mount_outcome(volume, device, place, MountHappened::kUnmounted)
             : mount_outcome(volume, device, place, MountHappened::kFailed, done.error().message()));
  }
  return outcomes;
}

}  // namespace zkv::unlock
