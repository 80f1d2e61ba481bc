// systemd for what fstab says, and mount(8), which knows filesystem types.
#include "unlock/crypt_mount.h"

#include <algorithm>
#include <chrono>
#include <iterator>

#include "unlock/filesystem_types.h"
#include "unlock/fstab_places.h"
#include "unlock/fstab_rights.h"
#include "unlock/hidden_files.h"
#include "unlock/mount_place.h"
#include "unlock/mount_program.h"
#include "unlock/mount_unit.h"
#include "unlock/order.h"
#include "unlock/sysfs.h"
#include "unlock/system_tool.h"

namespace zkv::unlock {

namespace {

constexpr std::chrono::seconds kQuick{10};

/// Where a volume is mounted or to be mounted.
struct Place {
  std::string real;  ///< every link followed
  std::string path;
  const OpenVolume* open;
};

std::string node_of(const std::string& path) { return std::filesystem::path(real_path(path)).filename(); }

std::string with_word_of_others(std::string hidden, const OpenVolume& open) {
  if (open.volume.settings.mountpoint.empty() || !open.is_of_others) return hidden;
  return hidden + (hidden.empty() ? "" : "; ") + "nosuid,nodev: others than root can change " +
         open.volume.settings.device;
}

MountOutcome mount_outcome(const VolumeRef& volume, const std::string& device, const std::string& place,
                           MountHappened happened, std::string detail = {}) {
  return {device, volume.name, place, happened, std::move(detail)};
}

}  // namespace

Result<CryptMounts> CryptMounts::read(const CryptOptions& options) {
  CryptMounts mounts(options);
  ZKV_TRY(const auto text, read_system_table(options.mount_table));
  mounts.mounted_ = parse_mounted(text);
  return mounts;
}

bool CryptMounts::holds(const TopDevice& device, const Mounted& mounted) const {
  if (mounted.number == device.number) return true;
  if (!has_source_of_root(mounted)) return false;
  if (mounted.source == device.path) return true;
  if (mounted.type != "btrfs") return false;
  const auto together = devices_of_btrfs(options_.btrfs, device.node);
  return std::binary_search(together.begin(), together.end(), node_of(mounted.source));
}

std::vector<std::string> CryptMounts::places_of(const TopDevice& device) const {
  std::vector<std::string> places;
  for (const auto& one : mounted_) {
    if (holds(device, one)) places.push_back(one.mountpoint);
  }
  return places;
}

bool CryptMounts::is_mounted_at(const TopDevice& device, const std::string& place) const {
  const auto places = places_of(device);
  return std::find(places.begin(), places.end(), real_path(place)) != places.end();
}

bool CryptMounts::is_taken(const std::string& place) const {
  const auto real = real_path(place);
  return std::any_of(mounted_.begin(), mounted_.end(),
                     [&](const Mounted& one) { return one.mountpoint == real; });
}

Result<std::vector<std::string>> CryptMounts::wanted_places(const OpenVolume& open) const {
  const auto& mountpoint = open.volume.settings.mountpoint;
  if (mountpoint.empty()) return places_in_fstab(options_, open.device.path);
  if (!open.is_one_of_many) return std::vector<std::string>{clean_path(mountpoint)};
  return Error::conflict("several devices lie on it, which cannot all be mounted at " + mountpoint +
                         ": name each in fstab, and leave its mount point away (zkv volume add --force " +
                         open.volume.name + ")");
}

Result<> CryptMounts::mount_somehow(const OpenVolume& open, const std::string& place,
                                    const std::stop_token& stop) const {
  MountCall call{open.device.path, place, false, open.is_read_only};
  if (!open.volume.settings.mountpoint.empty()) {
    ZKV_CHECK(check_way_to(place));
    call.is_of_others = open.is_of_others;
    return run_mount(call, options_, stop);
  }
  ZKV_CHECK(check_lines_at(open, place));
  const MountManager manager{
      .socket = options_.manager, .fstab = options_.fstab, .on_check = options_.on_check};
  const bool was_taken = is_taken(place);
  ZKV_TRY(const auto unit, start_mount_unit(real_path(place), manager, stop));
  if (unit == UnitStart::kNone) {
    ZKV_TRY(const bool is_checked, is_checked_at(options_, place));
    if (is_checked) ZKV_CHECK(start_check(open.device.path, manager, stop));
    call.is_by_fstab = true;
    return run_mount(call, options_, stop);
  }
  ZKV_TRY(const auto now, CryptMounts::read(options_));
  if (now.is_mounted_at(open.device, place)) return {};
  if (!was_taken) static_cast<void>(options_.unmount(real_path(place), Unmounting::kIfUnused));
  return Error::conflict(
      "systemd mounted something else there: another device has the name that the line in fstab goes by; "
      "name it " +
      open.device.path + " in that line");
}

MountOutcome CryptMounts::mount_at(const OpenVolume& open, const std::string& place,
                                   const std::stop_token& stop) const {
  const auto device = open.device.path;
  const auto outcome = [&](MountHappened happened, std::string detail = {}) {
    return mount_outcome(open.volume, device, place, happened, std::move(detail));
  };
  // Another's mount can have been this one's too: a btrfs of several devices.
  const auto before = CryptMounts::read(options_);
  if (before && before->is_mounted_at(open.device, place)) return outcome(MountHappened::kAlreadyMounted);
  auto hidden = hidden_by_mounting(place);
  const auto begun = std::chrono::steady_clock::now();
  const auto done = mount_somehow(open, place, stop);
  if (done) return outcome(MountHappened::kMounted, with_word_of_others(std::move(hidden), open));
  // systemd mounts a line with nofail by itself, and may have been first where zkv does not have it do so.
  const auto now = CryptMounts::read(options_);
  if (now && now->is_mounted_at(open.device, place)) return outcome(MountHappened::kAlreadyMounted);
  if (done.error().kind() == ErrorKind::kInterrupted) return outcome(MountHappened::kInterrupted);
  auto why = done.error().message();
  // A disk that took its time is not asked once more.
  if (std::chrono::steady_clock::now() - begun > kQuick)
    return outcome(MountHappened::kFailed, std::move(why));
  for (const auto& contradiction : contradictions({open})) {
    if (contradiction.mountpoint == clean_path(place)) why += "; " + contradiction.detail;
  }
  return outcome(MountHappened::kFailed, std::move(why));
}

std::optional<MountOutcome> CryptMounts::mounted_nowhere(const OpenVolume& open) const {
  if (!places_of(open.device).empty()) return std::nullopt;
  const auto device = open.device.path;
  const auto type = filesystem_on(device, options_);
  if (!type || type->empty()) return std::nullopt;
  return mount_outcome(open.volume, device, {}, MountHappened::kSkipped,
                       "it holds " + *type + ", and neither fstab nor the repository says where to mount it");
}

Result<> CryptMounts::check_lines_at(const OpenVolume& open, const std::string& place) const {
  if (!open.is_of_others) return {};
  const auto lines = lines_in_fstab(options_, open.device.path);
  if (!lines) return {};
  for (const auto& line : *lines) {
    if (clean_path(line.mountpoint) == clean_path(place)) ZKV_CHECK(check_line_for_others(open.volume, line));
  }
  return {};
}

void CryptMounts::take_rights_back(const std::vector<OpenVolume>& volumes,
                                   std::vector<MountOutcome>& outcomes) const {
  std::vector<OpenVolume> of_others;
  std::copy_if(volumes.begin(), volumes.end(), std::back_inserter(of_others),
               [](const OpenVolume& open) { return open.is_of_others; });
  if (of_others.empty()) return;
  const auto now = CryptMounts::read(options_);
  if (!now) {
    for (const auto& open : of_others) {
      outcomes.push_back(
          mount_outcome(open.volume, open.device.path, {}, MountHappened::kFailed, now.error().message()));
    }
    return;
  }
  // Among mounts at one place the last is on top.
  for (auto one = now->mounted_.rbegin(); one != now->mounted_.rend(); ++one) {
    if (gives_no_rights(one->options)) continue;
    const auto open = std::find_if(of_others.begin(), of_others.end(),
                                   [&](const OpenVolume& volume) { return now->holds(volume.device, *one); });
    if (open == of_others.end()) continue;
    std::string why = "others than root can change " + open->volume.settings.device +
                      ", and it was mounted without nosuid,nodev: it was unmounted";
    const auto gone = options_.unmount(one->mountpoint, Unmounting::kAtOnce);
    if (!gone) why += ", which failed: " + gone.error().message();
    std::erase_if(outcomes, [&](const MountOutcome& outcome) {
      return outcome.filesystem == open->device.path && real_path(outcome.mountpoint) == one->mountpoint;
    });
    outcomes.push_back(mount_outcome(open->volume, open->device.path, one->mountpoint, MountHappened::kFailed,
                                     std::move(why)));
  }
}

std::vector<MountOutcome> CryptMounts::contradictions(const std::vector<OpenVolume>& volumes) const {
  std::vector<MountOutcome> found;
  for (const auto& open : volumes) {
    const auto& mountpoint = open.volume.settings.mountpoint;
    if (!mountpoint.empty()) {
      const auto way = check_way_to(mountpoint);
      if (!way) {
        found.push_back(mount_outcome(open.volume, open.device.path, clean_path(mountpoint),
                                      MountHappened::kFailed, way.error().message()));
      }
      continue;
    }
    const auto device = open.device.path;
    const auto lines = lines_in_fstab(options_, device);
    if (!lines || lines->empty()) continue;
    for (const auto& line : *lines) {
      const auto sound = check_lines_at(open, line.mountpoint);
      if (sound) continue;
      found.push_back(mount_outcome(open.volume, device, clean_path(line.mountpoint), MountHappened::kFailed,
                                    sound.error().message()));
    }
    const auto type = filesystem_on(device, options_);
    if (!type) continue;
    for (const auto& line : *lines) {
      if (can_be_mounted_as(*type, line.type)) continue;
      found.push_back(mount_outcome(open.volume, device, clean_path(line.mountpoint), MountHappened::kFailed,
                                    "fstab calls it " + line.type + ", and it is " + *type));
    }
  }
  return found;
}

std::vector<MountOutcome> CryptMounts::mount(const std::vector<OpenVolume>& volumes,
                                             const std::vector<std::string>& held,
                                             const std::stop_token& stop) const {
  std::vector<MountOutcome> outcomes;
  std::vector<Place> wanted;
  for (const auto& open : volumes) {
    const auto places = wanted_places(open);
    if (!places) {
      outcomes.push_back(
          mount_outcome(open.volume, open.device.path, {}, MountHappened::kFailed, places.error().message()));
      continue;
    }
    for (const auto& place : *places) wanted.push_back({real_path(place), place, &open});
    if (!places->empty()) continue;
    if (auto nowhere = mounted_nowhere(open)) outcomes.push_back(std::move(*nowhere));
  }
  std::stable_sort(wanted.begin(), wanted.end(),
                   [](const Place& a, const Place& b) { return a.real < b.real; });
  std::vector<std::string> failed;
  for (const auto& place : wanted) {
    const auto without_trying = [&](MountHappened happened, std::string detail = {}) {
      return mount_outcome(place.open->volume, place.open->device.path, place.path, happened,
                           std::move(detail));
    };
    if (stop.stop_requested()) {
      outcomes.push_back(without_trying(MountHappened::kInterrupted));
    } else if (const auto above = held_by(place.path, held)) {
      outcomes.push_back(without_trying(MountHappened::kHeldBack, "it lies below " + *above));
    } else if (const auto parent = held_by(place.path, failed)) {
      outcomes.push_back(
          without_trying(MountHappened::kFailed, "it lies below " + *parent + ", which is not mounted"));
    } else {
      outcomes.push_back(mount_at(*place.open, place.path, stop));
    }
    if (outcomes.back().happened == MountHappened::kFailed) failed.push_back(place.path);
  }
  take_rights_back(volumes, outcomes);
  return outcomes;
}

std::vector<MountOutcome> CryptMounts::unmount(const std::vector<OpenVolume>& volumes,
                                               const std::stop_token& stop) const {
  std::vector<Place> mounted;
  for (const auto& one : mounted_) {
    const auto open = std::find_if(volumes.begin(), volumes.end(),
                                   [&](const OpenVolume& volume) { return holds(volume.device, one); });
    if (open != volumes.end()) mounted.push_back({one.mountpoint, one.mountpoint, &*open});
  }
  // Among mounts at one place the last is on top, and goes first.
  std::reverse(mounted.begin(), mounted.end());
  std::stable_sort(mounted.begin(), mounted.end(),
                   [](const Place& a, const Place& b) { return a.real > b.real; });
  std::vector<MountOutcome> outcomes;
  for (const auto& place : mounted) {
    if (stop.stop_requested()) return outcomes;
    const auto done = options_.unmount(place.path, Unmounting::kIfUnused);
    outcomes.push_back(mount_outcome(place.open->volume, place.open->device.path, place.path,
                                     done ? MountHappened::kUnmounted : MountHappened::kFailed,
                                     done ? std::string() : done.error().message()));
  }
  return outcomes;
}

}  // namespace zkv::unlock
