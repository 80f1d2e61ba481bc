// Look, open what is ready, mount, and look again.
#include "host/sweep.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "unlock/either_key.h"

namespace zkv::host {

namespace {

using unlock::MountHappened;
using unlock::Survey;
using unlock::VolumeRef;
using Volume = repository::VolumeKeys::Volume;

std::vector<Volume> waiting_of_kind(const repository::VolumeKeys& keys, repository::VolumeKind kind,
                                    const std::set<std::string>& wanted) {
  std::vector<Volume> volumes = keys.volumes();
  std::erase_if(volumes,
                [&](const Volume& volume) { return volume.kind != kind || !wanted.contains(volume.name); });
  return volumes;
}

std::vector<VolumeRef> refs_of(const std::vector<Volume>& volumes) {
  std::vector<VolumeRef> refs;
  refs.reserve(volumes.size());
  for (const auto& volume : volumes) refs.push_back({volume.name, volume.settings});
  return refs;
}

bool is_among(const std::string& name, const std::vector<VolumeRef>& volumes) {
  return std::any_of(volumes.begin(), volumes.end(),
                     [&](const VolumeRef& volume) { return volume.name == name; });
}

bool is_told(const unlock::MountOutcome& outcome, const MountReport& report) {
  return std::any_of(report.mounts.begin(), report.mounts.end(), [&](const unlock::MountOutcome& told) {
    return told.filesystem == outcome.filesystem && told.mountpoint == outcome.mountpoint;
  });
}

std::string way_in_words(const std::vector<std::string>& way) {
  std::string text = way.front();
  for (auto next = way.begin() + 1; next != way.end(); ++next) text += " lies on " + *next + ", which";
  return text.substr(0, text.rfind(','));
}

}  // namespace

Sweep::Sweep(repository::VolumeKeys& keys, const Unlockers& unlockers, MountReport& report, bool wants_mounts,
             std::stop_token stop, std::function<void(unlock::Unlocker&)> after_opening)
    : keys_(keys),
      unlockers_(unlockers),
      report_(report),
      wants_mounts_(wants_mounts),
      stop_(std::move(stop)),
      after_opening_(std::move(after_opening)),
      held_back_(unlockers.size()) {
  for (const auto& volume : keys_.volumes()) waiting_.insert(volume.name);
}

void Sweep::run() {
  auto at_sight = open_at_sight();
  if (!open_.empty() && (wants_mounts_ || !waiting_.empty())) {
    look(at_sight);
    open_round(ready({Readiness::kThere}), std::move(at_sight));
    mount_held_back();
  }
  while (!waiting_.empty()) {
    look();
    const auto now = ready({Readiness::kThere, Readiness::kAwaited, Readiness::kLast});
    if (now.empty()) break;
    open_round(now, std::vector<std::vector<VolumeRef>>(unlockers_.size()));
    mount_held_back();
  }
  give_up_the_rest();
  is_last_try_ = true;
  mount_held_back();
}

/// A key that opens something has nothing to wait for: what it lies on must be there.
std::vector<std::vector<VolumeRef>> Sweep::open_at_sight() {
  std::vector<std::vector<VolumeRef>> opened(unlockers_.size());
  for (std::size_t kind = 0; kind < unlockers_.size(); ++kind) {
    auto& unlocker = *unlockers_[kind];
    const auto volumes = waiting_of_kind(keys_, unlocker.kind(), waiting_);
    if (volumes.empty()) continue;
    auto outcomes = unlocker.open_at_sight(volumes, stop_);
    if (outcomes.empty()) continue;
    for (const auto& outcome : outcomes) {
      const auto volume =
          std::ranges::find(volumes, outcome.volume, [](const Volume& one) { return one.name; });
      opened[kind].push_back({volume->name, volume->settings});
    }
    settle(kind, opened[kind], std::move(outcomes));
    after_opening_(unlocker);
  }
  return opened;
}

/// A kind that cannot be looked at has no ties; open() will say what is wrong with it.
void Sweep::look(const std::vector<std::vector<VolumeRef>>& also) {
  std::erase_if(surveys_, [&](const Survey& survey) { return waiting_.contains(survey.volume); });
  for (std::size_t kind = 0; kind < unlockers_.size(); ++kind) {
    const auto& unlocker = unlockers_[kind];
    auto volumes = refs_of(waiting_of_kind(keys_, unlocker->kind(), waiting_));
    if (!also.empty()) volumes.insert(volumes.end(), also[kind].begin(), also[kind].end());
    if (volumes.empty()) continue;
    auto surveys = unlocker->survey(volumes);
    if (surveys) {
      std::move(surveys->begin(), surveys->end(), std::back_inserter(surveys_));
    } else {
      for (const auto& volume : volumes) surveys_.push_back({volume.name});
    }
  }
}

/// Those of the first of `kinds` that there are any of; never what lies on something that is closed.
std::set<std::string> Sweep::ready(std::initializer_list<Readiness> kinds) const {
  const unlock::Order order(surveys_);
  for (const auto readiness : kinds) {
    std::set<std::string> found;
    for (const auto& survey : surveys_) {
      const auto below = order.below(survey.volume);
      const bool is_free =
          std::all_of(below.begin(), below.end(), [&](const auto& other) { return open_.contains(other); });
      if (survey.readiness == readiness && is_free && waiting_.contains(survey.volume)) {
        found.insert(survey.volume);
      }
    }
    if (!found.empty()) return found;
  }
  return {};
}

void Sweep::open_round(const std::set<std::string>& wanted, std::vector<std::vector<VolumeRef>> to_mount) {
  for (std::size_t first = 0, end = 0; first < unlockers_.size(); first = end) {
    end = end_of_family(first);
    open(first, end, wanted, to_mount);
    for (std::size_t kind = first; kind < end; ++kind) mount(kind, to_mount[kind]);
  }
}

std::size_t Sweep::end_of_family(std::size_t first) const {
  std::size_t end = first + 1;
  while (end < unlockers_.size() && unlockers_[end]->family() == unlockers_[first]->family()) ++end;
  return end;
}

void Sweep::open(std::size_t first, std::size_t end, const std::set<std::string>& wanted,
                 std::vector<std::vector<VolumeRef>>& to_mount) {
  std::vector<Volume> volumes;
  std::vector<std::vector<VolumeRef>> tried;
  for (std::size_t kind = first; kind < end; ++kind) {
    const auto of_kind = waiting_of_kind(keys_, unlockers_[kind]->kind(), wanted);
    volumes.insert(volumes.end(), of_kind.begin(), of_kind.end());
    tried.push_back(refs_of(of_kind));
  }
  if (volumes.empty()) return;
  auto outcomes = unlock::open_by_either_key(*unlockers_[first], volumes, unlock::Attempt::kOpen, stop_);
  auto next = std::make_move_iterator(outcomes.begin());
  for (std::size_t kind = first; kind < end; ++kind) {
    const auto& refs = tried[kind - first];
    const auto behind = next + std::ssize(refs);
    settle(kind, refs, {std::exchange(next, behind), behind});
    for (const auto& volume : refs) {
      if (!open_.contains(volume.name)) continue;
      to_mount[kind].push_back(volume);
      to_come_.insert(volume.name);
    }
  }
  for (std::size_t kind = first; kind < end; ++kind) {
    if (!tried[kind - first].empty()) after_opening_(*unlockers_[kind]);
  }
}

/// One outcome for each of `volumes`, in the same order.
void Sweep::settle(std::size_t kind, const std::vector<VolumeRef>& volumes,
                   std::vector<unlock::Outcome> outcomes) {
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    auto& outcome = outcomes[i];
    if (unlock::is_success(outcome.happened)) open_.insert(outcome.volume);
    waiting_.erase(outcome.volume);
    static_cast<void>(keys_.remove(outcome.volume));
    report_.volumes.push_back(
        {std::string(unlockers_[kind]->name()), std::move(outcome), volumes[i].settings});
  }
}

/// Where something is still to be mounted by another volume than those.
std::vector<std::string> Sweep::held_places(const std::vector<VolumeRef>& but) const {
  std::vector<std::string> held;
  const auto add = [&](const std::vector<std::string>& places) {
    std::copy_if(places.begin(), places.end(), std::back_inserter(held),
                 [&](const std::string& place) { return !mounted_places_.contains(place); });
  };
  for (const auto& survey : surveys_) {
    if (is_among(survey.volume, but)) continue;
    add(survey.places);
    const bool is_guess = !open_.contains(survey.volume) || to_come_.contains(survey.volume);
    if (is_guess && !is_last_try_) add(survey.maybe_places);
  }
  return held;
}

void Sweep::mount(std::size_t kind, const std::vector<VolumeRef>& volumes) {
  if (volumes.empty() || !wants_mounts_) return;
  for (const auto& volume : volumes) to_come_.erase(volume.name);
  auto outcomes = unlockers_[kind]->mount_unheld(volumes, held_places(volumes), stop_);
  if (!outcomes) return report_.mount_errors.push_back(std::move(outcomes).error());
  for (auto& outcome : *outcomes) {
    if (outcome.happened == MountHappened::kMounted || outcome.happened == MountHappened::kAlreadyMounted) {
      mounted_places_.insert(outcome.mountpoint);
    }
    if (outcome.happened == MountHappened::kHeldBack && !is_last_try_) {
      hold_back(kind, volumes, outcome.volume);
      continue;
    }
    if (outcome.happened == MountHappened::kHeldBack) {
      outcome.happened = MountHappened::kFailed;
      outcome.detail += ", and what belongs there is not mounted";
    }
    if (!is_told(outcome, report_)) report_.mounts.push_back(std::move(outcome));
  }
}

/// What hangs on no volume's key came with all of them.
void Sweep::hold_back(std::size_t kind, const std::vector<VolumeRef>& volumes, const std::string& name) {
  for (const auto& volume : volumes) {
    const bool is_it = volume.name == name || !is_among(name, volumes);
    if (is_it && !is_among(volume.name, held_back_[kind])) held_back_[kind].push_back(volume);
  }
}

void Sweep::mount_held_back() {
  for (std::size_t kind = 0; kind < unlockers_.size(); ++kind) {
    mount(kind, std::exchange(held_back_[kind], {}));
  }
}

/// What lies on something that did not open, or on itself.
void Sweep::give_up_the_rest() {
  const unlock::Order order(surveys_);
  for (std::size_t kind = 0; kind < unlockers_.size(); ++kind) {
    std::vector<unlock::Outcome> outcomes;
    const auto volumes = refs_of(waiting_of_kind(keys_, unlockers_[kind]->kind(), waiting_));
    for (const auto& volume : volumes) {
      unlock::Outcome outcome{volume.name, unlock::Happened::kMissing, {}, {}, {}};
      const auto way = order.cycle_through(volume.name);
      for (const auto& below : order.below(volume.name)) {
        if (!open_.contains(below)) outcome.detail = "it lies on " + below + ", which is not open";
      }
      if (!way.empty()) {
        outcome.happened = unlock::Happened::kFailed;
        outcome.detail = "it can never be opened: " + way_in_words(way);
        outcome.remedy =
            "move its key, header or image elsewhere, or correct its device: zkv volume add --force " +
            volume.name;
      }
      if (stop_.stop_requested()) outcome.happened = unlock::Happened::kInterrupted;
      outcomes.push_back(std::move(outcome));
    }
    settle(kind, volumes, std::move(outcomes));
  }
}

}  // namespace zkv::host
