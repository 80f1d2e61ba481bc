// From the repository to its report; the sweep over the volumes has a file of its own.
#include "host/boot.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "host/sweep.h"
#include "repository/change.h"
#include "repository/repository.h"
#include "unlock/either_key.h"

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
    append(report, unlocker->name(),
           unlock::open_by_either_key(*unlocker, volumes, unlock::Attempt::kTrial, stop), volumes);
    for (const auto& volume : volumes) (void)keys.remove(volume.name);
    static_cast<void>(unlocker->take_derived());
  }
}

/// Puts what was derived into the repository, so that the next boot is spared it. Holds the repository's key
/// for that, and wipes it as soon as no volume's key is held any more.
class DerivedKeeper {
 public:
  /// `keys` and `report` outlive the keeper. `key` is empty where nothing can be kept.
  DerivedKeeper(std::filesystem::path path, std::optional<repository::RepositoryKey> key,
                const repository::VolumeKeys& keys, MountReport& report)
      : path_(std::move(path)), key_(std::move(key)), keys_(keys), report_(report) {}

  void after_opening(unlock::Unlocker& unlocker) {
    const auto derived = unlocker.take_derived();
    if (key_ && !derived.empty()) keep(derived);
    if (keys_.size() == 0) key_.reset();
  }

 private:
  void keep(const std::vector<unlock::DerivedFor>& derived) {
    const auto kept = repository::edit(
        path_, *key_, [&](repository::VolumeKeys& keys) { return unlock::keep_derived(keys, derived); });
    if (!kept)
      report_.warnings.push_back("keys were derived and could not be kept: " + kept.error().message());
  }

  std::filesystem::path path_;
  std::optional<repository::RepositoryKey> key_;
  const repository::VolumeKeys& keys_;
  MountReport& report_;
};

/// Takes the volumes out of `keys` that none of `unlockers` opens: those of kinds that a later version put
/// into the repository.
std::vector<VolumeReport> take_out_unknown(repository::VolumeKeys& keys, const Unlockers& unlockers) {
  std::vector<VolumeReport> unknown;
  for (const auto& volume : keys.volumes()) {
    const bool is_known = std::any_of(unlockers.begin(), unlockers.end(),
                                      [&](const auto& unlocker) { return unlocker->kind() == volume.kind; });
    if (!is_known) unknown.push_back({repository::to_text(volume.kind), beyond_us(volume), volume.settings});
  }
  for (const auto& volume : unknown) static_cast<void>(keys.remove(volume.outcome.volume));
  return unknown;
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

std::vector<std::string> names_changing(const repository::VolumeKeys& keys) {
  std::vector<std::string> names;
  if (keys.changing() == 0) return names;
  for (const auto& volume : keys.volumes()) {
    if (!volume.next_key.empty()) names.push_back(volume.name);
  }
  return names;
}

Result<MountReport> open_and_mount(const MountOrder& order, repository::RepositoryKey key,
                                   const Unlockers& unlockers, const std::stop_token& stop) {
  std::optional<repository::RepositoryKey> held(std::move(key));
  ZKV_TRY(auto opened, repository::open(order.repository, *held));
  auto& keys = opened.keys;
  ZKV_CHECK(check_all_known(order.only, keys));
  keep_only(order.only, keys);
  // An older repository that was put back stays as it is until a person changes it, and is told until then.
  const bool may_write = opened.format == repository::Format::kVersion2 && !opened.warning;
  if (!may_write || order.is_trial) held.reset();
  auto unknown = take_out_unknown(keys, unlockers);
  if (order.on_keys) order.on_keys(keys);
  MountReport report;
  if (opened.warning) report.warnings.push_back(std::move(*opened.warning));
  report.changing = names_changing(keys);
  if (!report.changing.empty()) {
    report.warnings.push_back(
        "volumes whose key is being changed: " + std::to_string(report.changing.size()) +
        "; until that is ended, the old one may open them too: zkv rotate --volume-keys goes on");
  }
  DerivedKeeper keeper(order.repository, std::exchange(held, std::nullopt), keys, report);
  if (order.is_trial) {
    try_keys(keys, unlockers, report, stop);
  } else {
    Sweep(keys, unlockers, report, order.wants_mounts, stop, [&](unlock::Unlocker& unlocker) {
      keeper.after_opening(unlocker);
    }).run();
  }
  std::move(unknown.begin(), unknown.end(), std::back_inserter(report.volumes));
  return report;
}

}  // namespace zkv::host
