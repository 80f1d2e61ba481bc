// Open, forget the keys, mount.
#include "host/boot.h"

#include <algorithm>
#include <utility>

#include "repository/repository.h"

namespace zkv::host {

namespace {

using Volume = repository::VolumeKeys::Volume;

Result<> check_all_known(const std::set<std::string>& only, const repository::VolumeKeys& keys) {
  for (const auto& name : only) {
    if (!keys.contains(name)) {
      return Error::not_found("the repository holds no volume " + name)
          .remedy("'zkv volume list' shows what it holds");
    }
  }
  return {};
}

std::vector<Volume> chosen(const repository::VolumeKeys& keys, repository::VolumeKind kind,
                           const std::set<std::string>& only) {
  std::vector<Volume> volumes;
  for (const auto& volume : keys.volumes()) {
    if (volume.kind == kind && (only.empty() || only.contains(volume.name))) volumes.push_back(volume);
  }
  return volumes;
}

void append(MountReport& report, std::string_view kind, std::vector<unlock::Outcome> outcomes) {
  for (auto& outcome : outcomes) report.volumes.push_back({std::string(kind), std::move(outcome)});
}

void append(MountReport& report, Result<std::vector<unlock::MountOutcome>> mounts) {
  if (!mounts) return report.mount_errors.push_back(std::move(mounts).error());
  std::move(mounts->begin(), mounts->end(), std::back_inserter(report.mounts));
}

/// Volumes of kinds that a later version put into the repository.
std::vector<Volume> beyond(const repository::VolumeKeys& keys, const Unlockers& unlockers,
                           const std::set<std::string>& only) {
  std::vector<Volume> volumes = keys.volumes();
  std::erase_if(volumes, [&](const Volume& volume) {
    const bool is_known = std::any_of(unlockers.begin(), unlockers.end(),
                                      [&](const auto& unlocker) { return unlocker->kind() == volume.kind; });
    return is_known || (!only.empty() && !only.contains(volume.name));
  });
  return volumes;
}

unlock::Outcome beyond_us(const Volume& volume) {
  return {volume.name,
          unlock::Happened::kFailed,
          "this version of zkv cannot open volumes of " + repository::to_text(volume.kind),
          "install a newer zkv",
          {}};
}

/// What is left of the repository when its keys are wiped.
struct AfterOpening {
  MountReport report;
  std::vector<unlock::VolumeRef> volumes;
};

/// The keys live in here and nowhere else.
Result<AfterOpening> open_volumes(const MountOrder& order, repository::RepositoryKey key,
                                  const Unlockers& unlockers, const std::stop_token& stop) {
  ZKV_TRY(const auto opened, repository::open(order.repository, key));
  key.secret = SecretBytes();
  ZKV_CHECK(check_all_known(order.only, opened.keys));
  AfterOpening after;
  MountReport& report = after.report;
  report.warning = opened.warning;
  for (const auto& volume : opened.keys.volumes()) after.volumes.push_back({volume.name, volume.settings});
  const auto attempt = order.is_trial ? unlock::Attempt::kTrial : unlock::Attempt::kOpen;
  for (const auto& unlocker : unlockers) {
    const auto volumes = chosen(opened.keys, unlocker->kind(), order.only);
    if (!volumes.empty()) append(report, unlocker->name(), unlocker->open(volumes, attempt, stop));
  }
  for (const auto& volume : beyond(opened.keys, unlockers, order.only)) {
    report.volumes.push_back({repository::to_text(volume.kind), beyond_us(volume)});
  }
  return after;
}

std::vector<unlock::VolumeRef> open_ones(const AfterOpening& after, std::string_view kind) {
  std::set<std::string_view> names;
  for (const auto& [of_kind, outcome] : after.report.volumes) {
    if (of_kind == kind && unlock::is_success(outcome.happened)) names.insert(outcome.volume);
  }
  std::vector<unlock::VolumeRef> volumes = after.volumes;
  std::erase_if(volumes, [&](const unlock::VolumeRef& volume) { return !names.contains(volume.name); });
  return volumes;
}

}  // namespace

std::size_t MountReport::opened() const {
  return static_cast<std::size_t>(
      std::count_if(volumes.begin(), volumes.end(),
                    [](const VolumeReport& volume) { return unlock::is_success(volume.outcome.happened); }));
}

bool MountReport::is_complete() const {
  return opened() == volumes.size() && mount_errors.empty() &&
         std::all_of(mounts.begin(), mounts.end(),
                     [](const unlock::MountOutcome& mount) { return unlock::is_success(mount.happened); });
}

Result<MountReport> open_and_mount(const MountOrder& order, repository::RepositoryKey key,
                                   const Unlockers& unlockers, const std::stop_token& stop) {
  ZKV_TRY(auto after, open_volumes(order, std::move(key), unlockers, stop));
  if (order.is_trial || !order.wants_mounts) return std::move(after.report);
  for (const auto& unlocker : unlockers) {
    const auto volumes = open_ones(after, unlocker->name());
    if (!volumes.empty()) append(after.report, unlocker->mount(volumes, stop));
  }
  return std::move(after.report);
}

MountReport unmount_and_close(unlock::Unlocker& unlocker, const std::vector<std::string>& names,
                              const std::stop_token& stop) {
  MountReport report;
  if (names.empty()) return report;
  append(report, unlocker.unmount(names, stop));
  append(report, unlocker.name(), unlocker.close(names, stop));
  return report;
}

}  // namespace zkv::host
