// From the repository to its report; the sweep over the volumes has a file of its own.
#include "host/boot.h"

#include <algorithm>
#include <utility>

#include "host/sweep.h"
#include "repository/change.h"
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

std::vector<Volume> of_kind(const repository::VolumeKeys& keys, repository::VolumeKind kind) {
  std::vector<Volume> volumes = keys.volumes();
  std::erase_if(volumes, [&](const Volume& volume) { return volume.kind != kind; });
  return volumes;
}

/// `volumes` are those of the outcomes, in the same order.
template <class Volumes>
void append(MountReport& report, std::string_view kind, std::vector<unlock::Outcome> outcomes,
            const Volumes& volumes) {
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    report.volumes.push_back({std::string(kind), std::move(outcomes[i]), volumes[i].settings});
  }
}

unlock::Outcome beyond_us(const Volume& volume) {
  return {volume.name,
          unlock::Happened::kFailed,
          "this version of zkv cannot open volumes of " + repository::to_text(volume.kind),
          "install a newer zkv",
          {}};
}

/// Takes out of `keys` what is not to be opened: the keys of the others are wiped at once.
void keep_only(const std::set<std::string>& only, repository::VolumeKeys& keys) {
  if (only.empty()) return;
  for (const auto& volume : keys.volumes()) {
    if (!only.contains(volume.name)) (void)keys.remove(volume.name);
  }
}

/// Tries each key, and opens nothing.
void try_keys(repository::VolumeKeys& keys, const Unlockers& unlockers, MountReport& report,
              const std::stop_token& stop) {
  for (const auto& unlocker : unlockers) {
    const auto volumes = of_kind(keys, unlocker->kind());
    if (volumes.empty()) continue;
    append(report, unlocker->name(), unlocker->open(volumes, unlock::Attempt::kTrial, stop), volumes);
    for (const auto& volume : volumes) (void)keys.remove(volume.name);
  }
}

/// Puts what was derived into the repository, so that the next boot is spared it; where there is nothing new,
/// nothing is written.
Result<> renew_derived(const std::filesystem::path& path, const repository::RepositoryKey& key,
                       const Unlockers& unlockers) {
  std::vector<unlock::DerivedFor> derived;
  for (const auto& unlocker : unlockers) {
    auto own = unlocker->take_derived();
    std::move(own.begin(), own.end(), std::back_inserter(derived));
  }
  if (derived.empty()) return {};
  return repository::edit(path, key,
                          [&](repository::VolumeKeys& keys) { return unlock::keep_derived(keys, derived); });
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

Result<MountReport> open_and_mount(const MountOrder& order, const repository::RepositoryKey& key,
                                   const Unlockers& unlockers, const std::stop_token& stop) {
  ZKV_TRY(auto opened, repository::open(order.repository, key));
  auto& keys = opened.keys;
  ZKV_CHECK(check_all_known(order.only, keys));
  keep_only(order.only, keys);
  MountReport report;
  if (opened.warning) report.warnings.push_back(std::move(*opened.warning));
  if (order.is_trial) {
    try_keys(keys, unlockers, report, stop);
  } else {
    Sweep(keys, unlockers, report, order.wants_mounts, stop).run();
  }
  if (opened.format == repository::Format::kVersion2 && !order.is_trial) {
    const auto kept = renew_derived(order.repository, key, unlockers);
    if (!kept)
      report.warnings.push_back("keys were derived and could not be kept: " + kept.error().message());
  }
  // What is left is of kinds that a later version put into the repository.
  for (const auto& volume : keys.volumes()) {
    report.volumes.push_back({repository::to_text(volume.kind), beyond_us(volume), volume.settings});
  }
  return report;
}

}  // namespace zkv::host
