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
          .remedy("'zkv fs list' shows what it holds");
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

/// The keys live in here and nowhere else.
Result<MountReport> open_volumes(const MountOrder& order, repository::RepositoryKey key,
                                 const Unlockers& unlockers, const std::stop_token& stop) {
  ZKV_TRY(const auto opened, repository::open(order.repository, key));
  key.secret = SecretBytes();
  ZKV_CHECK(check_all_known(order.only, opened.keys));
  MountReport report;
  report.warning = opened.warning;
  const auto attempt = order.is_trial ? unlock::Attempt::kTrial : unlock::Attempt::kOpen;
  for (const auto& unlocker : unlockers) {
    const auto volumes = chosen(opened.keys, unlocker->kind(), order.only);
    append(report, unlocker->name(), unlocker->open(volumes, attempt, stop));
  }
  for (const auto& volume : beyond(opened.keys, unlockers, order.only)) {
    report.volumes.push_back({repository::to_text(volume.kind), beyond_us(volume)});
  }
  return report;
}

std::vector<std::string> open_names(const MountReport& report, std::string_view kind) {
  std::vector<std::string> names;
  for (const auto& volume : report.volumes) {
    if (volume.kind == kind && unlock::is_success(volume.outcome.happened))
      names.push_back(volume.outcome.volume);
  }
  return names;
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
  ZKV_TRY(auto report, open_volumes(order, std::move(key), unlockers, stop));
  if (order.is_trial || !order.wants_mounts) return report;
  for (const auto& unlocker : unlockers) {
    append(report, unlocker->mount(open_names(report, unlocker->name()), stop));
  }
  return report;
}

MountReport unmount_and_close(unlock::Unlocker& unlocker, const std::vector<std::string>& names,
                              const std::stop_token& stop) {
  MountReport report;
  append(report, unlocker.unmount(names, stop));
  append(report, unlocker.name(), unlocker.close(names, stop));
  return report;
}

}  // namespace zkv::host
