// Found by their mount points alone: what hides what is a matter of paths, not of names.
#include "unlock/zfs_cover.h"

#include <algorithm>

#include "unlock/order.h"

namespace zkv::unlock {

namespace {

bool is_below(const Dataset& dataset, const std::string& directory) {
  return dataset.mountpoint != directory && lies_within(dataset.mountpoint, directory);
}

/// Where something is to come up now.
std::vector<std::string> places_to_cover(const std::vector<Dataset>& ordered,
                                         const std::vector<std::string>& held) {
  std::vector<std::string> places;
  for (const auto& dataset : ordered) {
    if (!dataset.is_mounted && wants_mount(dataset) && !held_by(dataset.mountpoint, held)) {
      places.push_back(dataset.mountpoint);
    }
  }
  return places;
}

}  // namespace

Cover::Cover(std::vector<Dataset> ordered, const Datasets& datasets, const std::vector<std::string>& held,
             const UnmountOne& unmount)
    : ordered_(std::move(ordered)) {
  const auto places = places_to_cover(ordered_, held);
  if (places.empty()) return;
  std::vector<Dataset> below;
  for (const auto& entry : datasets) {
    const Dataset& dataset = entry.second;
    const bool is_there = dataset.is_mounted && wants_mount(dataset);
    const auto covers = [&](const std::string& place) { return is_below(dataset, place); };
    if (is_there && std::ranges::any_of(places, covers)) below.push_back(dataset);
  }
  sort_by_mountpoint(below);
  for (auto dataset = below.rbegin(); dataset != below.rend(); ++dataset) {
    if (const auto gone = unmount(*dataset); !gone && gone.error().kind() != ErrorKind::kNotFound) {
      in_use_.push_back(*dataset);
      continue;
    }
    taken_away_.insert(dataset->name);
    dataset->is_mounted = false;
    const auto known = std::ranges::find(ordered_, dataset->name, &Dataset::name);
    if (known == ordered_.end()) {
      ordered_.push_back(*dataset);
    } else {
      known->is_mounted = false;
    }
  }
  if (!taken_away_.empty()) sort_by_mountpoint(ordered_);
}

std::vector<const Dataset*> Cover::left_out(const std::vector<MountOutcome>& outcomes) const {
  std::vector<const Dataset*> left;
  for (const auto& dataset : ordered_) {
    const auto found = std::ranges::find(outcomes, dataset.name, &MountOutcome::filesystem);
    const bool is_back = found != outcomes.end() && is_success(found->happened);
    if (taken_away_.contains(dataset.name) && !is_back) left.push_back(&dataset);
  }
  return left;
}

void Cover::tell_what_is_hidden(std::vector<MountOutcome>& outcomes) const {
  for (const auto& dataset : in_use_) {
    const auto above = std::ranges::find_if(outcomes, [&](const MountOutcome& outcome) {
      return outcome.happened == MountHappened::kMounted && is_below(dataset, outcome.mountpoint);
    });
    if (above == outcomes.end()) continue;
    const auto known = std::ranges::find(outcomes, dataset.name, &MountOutcome::filesystem);
    if (known == outcomes.end()) {
      above->detail = "it hides " + dataset.name + ", which was mounted below it, and is in use";
    } else {
      known->happened = MountHappened::kFailed;
      known->detail =
          above->filesystem +
          " came up over it while it was in use: stop what uses it, then zkv unmount and zkv mount";
    }
  }
}

}  // namespace zkv::unlock
