// The record of the last opening beside what is open and mounted now.
#include "host/mount_trouble.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/time.h"
#include "unlock/mount_table.h"
#include "unlock/system_tool.h"

namespace zkv::host {

namespace {

/// The words of Happened that say that a volume did not open, as the record has them. What a person stopped
/// left nothing over.
bool is_failure(const std::string& result) {
  using enum unlock::Happened;
  const auto failures = {kFailed, kUnusableKey, kMissing, kPoolMissing, kNotAVolume};
  return std::any_of(failures.begin(), failures.end(),
                     [&](unlock::Happened failure) { return result == unlock::to_text(failure); });
}

std::set<std::string> mounted_places(const std::filesystem::path& mount_table) {
  std::set<std::string> places;
  for (const auto& mounted : unlock::parse_mounted(unlock::read_system_table(mount_table).value_or(""))) {
    places.insert(mounted.mountpoint);
  }
  return places;
}

/// Those that failed, and are open all the same by now.
std::set<std::string> opened_since(UnlockRecord record, const Unlockers& unlockers) {
  std::erase_if(record, [](const auto& entry) { return !is_failure(entry.second.result); });
  std::set<std::string> open;
  for (const auto& unlocker : unlockers) {
    const auto refs = refs_of_kind(record, unlocker->name());
    if (refs.empty()) continue;
    const auto states = unlocker->inspect(refs);
    if (!states) continue;
    for (const auto& state : *states) {
      if (state.is_open) open.insert(state.name);
    }
  }
  return open;
}

}  // namespace

std::vector<Finding> find_left_over(const UnlockRecord& record, const DriftRecord& now,
                                    const Unlockers& unlockers, const std::filesystem::path& mount_table) {
  const auto open = opened_since(record, unlockers);
  const auto mounted = mounted_places(mount_table);
  std::vector<Finding> findings;
  for (const auto& [name, last] : record) {
    if (!now.volumes.contains(name)) continue;
    if (is_failure(last.result) && !open.contains(name)) {
      findings.push_back({name, "it did not open when that was last tried (" + to_text(last.tried) + ")",
                          "zkv mount --only " + name + " says why"});
    }
    for (const auto& [place, why] : last.unmounted) {
      if (mounted.contains(unlock::real_path(place))) continue;
      std::string what = "it was not mounted at ";
      what.append(place).append(" when it was last opened: ").append(why);
      findings.push_back({name, std::move(what), "once that is mended: zkv mount --only " + name});
    }
  }
  return findings;
}

std::vector<Finding> find_unmountable(const DriftRecord& now, const Unlockers& unlockers) {
  std::vector<Finding> findings;
  for (const auto& unlocker : unlockers) {
    for (const auto& mount : unlocker->contradictions(refs_of_kind(now.volumes, unlocker->name()))) {
      findings.push_back(
          {mount.volume, "it cannot be mounted at " + mount.mountpoint + ": " + mount.detail,
           "correct the line of " + mount.mountpoint + " in /etc/fstab, then systemctl daemon-reload"});
    }
  }
  return findings;
}

}  // namespace zkv::host
