// Tries, and tries again what is left while there is progress.
#include "host/closing.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <string>
#include <utility>

#include "unlock/busy.h"

namespace zkv::host {

namespace {

using unlock::MountHappened;
using unlock::VolumeRef;

/// What the last try said of each filesystem and each volume, in the order in which they were first tried.
class LastWords {
 public:
  void say(const unlock::MountOutcome& outcome) {
    auto& mounts = report_.mounts;
    const auto told = std::find_if(mounts.begin(), mounts.end(), [&](const unlock::MountOutcome& one) {
      return one.filesystem == outcome.filesystem && one.mountpoint == outcome.mountpoint;
    });
    if (told == mounts.end()) {
      mounts.push_back(outcome);
    } else {
      *told = outcome;
    }
  }

  void say(std::string_view kind, const VolumeRef& volume, const unlock::Outcome& outcome) {
    auto& volumes = report_.volumes;
    const auto told = std::find_if(volumes.begin(), volumes.end(), [&](const VolumeReport& one) {
      return one.kind == kind && one.outcome.volume == outcome.volume;
    });
    if (told == volumes.end()) {
      volumes.push_back({std::string(kind), outcome, volume.settings});
    } else {
      told->outcome = outcome;
    }
  }

  void say(Error error) {
    auto& errors = report_.mount_errors;
    const bool is_told = std::any_of(errors.begin(), errors.end(),
                                     [&](const Error& one) { return one.message() == error.message(); });
    if (!is_told) errors.push_back(std::move(error));
  }

  MountReport take() { return std::move(report_); }

 private:
  MountReport report_;
};

/// Closes what it can, and leaves the rest in `volumes`. Whether anything was unmounted or closed.
bool close_round(unlock::Unlocker& unlocker, std::vector<VolumeRef>& volumes, LastWords& words,
                 const std::stop_token& stop) {
  bool is_progress = false;
  auto unmounted = unlocker.unmount(volumes, stop);
  if (!unmounted) {
    words.say(std::move(unmounted).error());
  } else {
    for (const auto& outcome : *unmounted) {
      is_progress |= outcome.happened == MountHappened::kUnmounted;
      words.say(outcome);
    }
  }
  const auto outcomes = unlocker.close(volumes, stop);
  std::vector<VolumeRef> left;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    words.say(unlocker.name(), volumes[i], outcomes[i]);
    const bool is_closed = unlock::is_success(outcomes[i].happened);
    is_progress |= is_closed;
    if (!is_closed) left.push_back(volumes[i]);
  }
  volumes = std::move(left);
  return is_progress;
}

void name_users(MountReport& report, const std::filesystem::path& processes) {
  for (auto& mount : report.mounts) {
    if (mount.happened != MountHappened::kFailed || !mount.mountpoint.starts_with('/')) continue;
    const auto users = unlock::processes_in(mount.mountpoint, processes);
    if (!users.empty()) mount.detail += "; in use by " + unlock::in_words(users);
  }
}

}  // namespace

MountReport unmount_and_close(const Unlockers& unlockers, std::vector<std::vector<VolumeRef>> volumes,
                              const std::stop_token& stop, const std::filesystem::path& processes) {
  // What unmounts again and again is never gone: / only becomes read-only by it.
  static constexpr int kMostRounds = 100;
  LastWords words;
  bool is_progress = true;
  for (int round = 0; round < kMostRounds && is_progress && !stop.stop_requested(); ++round) {
    is_progress = false;
    for (std::size_t kind = unlockers.size(); kind-- > 0;) {
      if (!volumes[kind].empty()) is_progress |= close_round(*unlockers[kind], volumes[kind], words, stop);
    }
  }
  auto report = words.take();
  name_users(report, processes);
  return report;
}

}  // namespace zkv::host
