// The repository is the journal: a volume is in the midst of it as long as it has a next key there.
#include "host/volume_rotation.h"

#include <algorithm>
#include <optional>

#include "crypto/random.h"
#include "repository/change.h"
#include "repository/repository.h"

namespace zkv::host {

namespace {

using Volume = repository::VolumeKeys::Volume;
using Happened = VolumeChange::Happened;

unlock::Unlocker* unlocker_of_kind(const Unlockers& unlockers, repository::VolumeKind kind) {
  const auto found = std::find_if(unlockers.begin(), unlockers.end(),
                                  [&](const auto& unlocker) { return unlocker->kind() == kind; });
  return found == unlockers.end() ? nullptr : found->get();
}

Result<> check_changes(const unlock::Unlocker* unlocker, const Volume& volume) {
  if (unlocker == nullptr) {
    return Error::unsupported("this version of zkv cannot open volumes of " +
                              repository::to_text(volume.kind))
        .remedy("install a newer zkv");
  }
  return unlocker->check_change({volume.name, volume.settings});
}

Result<> holds_the_system(const Volume& volume) {
  const bool is_zfs = volume.kind == repository::VolumeKind::kZfs;
  return Error::unsupported(
             "this system, or the repository, lies on it: its key is what a person at the console has, and a "
             "new one could be read only after it")
      .remedy(std::string("change it yourself (") + (is_zfs ? "zfs change-key" : "cryptsetup luksChangeKey") +
              "), and put it in: zkv volume add --force " + volume.name);
}

VolumeChange told(const Volume& volume, Happened happened, const Error& why) {
  return {volume.name, repository::to_text(volume.kind), happened, why.message(), why.remedy()};
}

Result<> fits(unlock::Unlocker& unlocker, Volume volume, std::span<const std::uint8_t> key) {
  volume.key = key;
  volume.derived.reset();
  const auto outcome = unlocker.open(std::span(&volume, 1), unlock::Attempt::kTrial, {}).front();
  static_cast<void>(unlocker.take_derived());
  if (outcome.happened == unlock::Happened::kKeyFits) return {};
  const bool is_wrong =
      outcome.happened == unlock::Happened::kWrongKey || outcome.happened == unlock::Happened::kUnusableKey;
  if (is_wrong) return Error::wrong_key(outcome.detail).remedy(outcome.remedy);
  return Error::unavailable(outcome.detail).remedy(outcome.remedy);
}

/// Leaves the volume with its next key and no other.
Result<> change_volume(unlock::Unlocker& unlocker, const Volume& volume) {
  auto has_it = fits(unlocker, volume, volume.next_key);
  if (!has_it && has_it.error().kind() != ErrorKind::kWrongKey) return has_it;
  if (!has_it) {
    ZKV_CHECK(fits(unlocker, volume, volume.key));
    ZKV_CHECK(unlocker.give_key(volume, volume.next_key));
    ZKV_CHECK(fits(unlocker, volume, volume.next_key));
  }
  Volume changed = volume;
  changed.key = volume.next_key;
  return unlocker.take_key(changed, volume.key);
}

/// One of the repository as it stands now, which nobody else writes meanwhile: a key that somebody put in
/// since the change began is not to be lost. An error wherever nothing is to be written; `change` says why.
Result<> change_held_volume(repository::VolumeKeys& keys, const std::string& name, const Unlockers& unlockers,
                            const std::stop_token& stop, std::optional<VolumeChange>& change) {
  const auto volumes = keys.volumes();
  const auto volume = std::ranges::find(volumes, name, &Volume::name);
  if (volume == volumes.end() || volume->next_key.empty()) {
    change = VolumeChange{name, {}, Happened::kLeftAlone, "another command took it away, or gave it a key"};
    return Error::conflict(change->why);
  }
  auto* unlocker = unlocker_of_kind(unlockers, volume->kind);
  auto done = check_changes(unlocker, *volume);
  if (done && stop.stop_requested()) done = Error::interrupted("not tried, since a stop was asked for");
  if (done) done = change_volume(*unlocker, *volume);
  if (!done) {
    change = told(*volume, Happened::kPending, done.error());
    return done;
  }
  change = VolumeChange{name, std::string(unlocker->name()), Happened::kChanged, {}, {}, volume->settings};
  return keys.finish_change(name);
}

}  // namespace

Result<std::vector<std::string>> pending_volume_changes(const std::filesystem::path& repository,
                                                        const SecretBytes& key) {
  ZKV_TRY(const auto opened, repository::open(repository, key));
  std::vector<std::string> pending;
  for (const auto& volume : opened.keys.volumes()) {
    if (!volume.next_key.empty()) pending.push_back(volume.name);
  }
  return pending;
}

Result<std::vector<VolumeChange>> begin_volume_changes(const std::filesystem::path& repository,
                                                       const SecretBytes& key, const Unlockers& unlockers,
                                                       const unlock::SystemVolumes& system) {
  std::vector<VolumeChange> left;
  ZKV_CHECK(repository::edit(repository, key, [&](repository::VolumeKeys& keys) -> Result<> {
    struct Begun {
      std::string name;
      SecretBytes key;
    };
    std::vector<Begun> begun;
    for (const auto& volume : keys.volumes()) {
      const auto* unlocker = unlocker_of_kind(unlockers, volume.kind);
      auto can = check_changes(unlocker, volume);
      if (can && system.hold(repository::to_text(volume.kind), {volume.name, volume.settings}))
        can = holds_the_system(volume);
      if (!can) {
        left.push_back(told(volume, Happened::kLeftAlone, can.error()));
      } else if (volume.next_key.empty()) {
        begun.push_back({volume.name, crypto::random_volume_key(unlocker->new_key_size())});
      }
    }
    for (const auto& [name, next] : begun) ZKV_CHECK(keys.begin_change(name, next.span()));
    return {};
  }));
  return left;
}

Result<std::vector<VolumeChange>> resume_volume_changes(const std::filesystem::path& repository,
                                                        const SecretBytes& key, const Unlockers& unlockers,
                                                        const std::stop_token& stop,
                                                        const AfterChange& after_change) {
  ZKV_TRY(const auto pending, pending_volume_changes(repository, key));
  std::vector<VolumeChange> changes;
  for (const auto& name : pending) {
    std::optional<VolumeChange> change;
    const auto written = repository::edit(repository, key, [&](repository::VolumeKeys& keys) {
      return change_held_volume(keys, name, unlockers, stop, change);
    });
    // What is not changed is not written.
    if (!written && (!change || change->happened == Happened::kChanged))
      return tl::unexpected(written.error());
    changes.push_back(std::move(*change));
    if (changes.back().happened == Happened::kChanged) after_change(changes.back());
  }
  return changes;
}

}  // namespace zkv::host
