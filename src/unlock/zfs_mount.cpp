// Mounting by mountpoint, parents first.
#include "unlock/zfs_mount.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <tuple>

#include "unlock/guarded_path.h"
#include "unlock/hidden_files.h"
#include "unlock/mount_place.h"
#include "unlock/mount_table.h"
#include "unlock/order.h"

namespace zkv::unlock {

namespace {

namespace fs = std::filesystem;

/// Why the dataset's own properties keep it from being mounted; nothing when they do not.
std::optional<std::string> reason_to_skip(const Dataset& dataset) {
  if (dataset.can_mount != "on") return "canmount=" + dataset.can_mount;
  if (dataset.is_zoned) return "zoned=on";
  if (!dataset.mountpoint.starts_with('/')) return "mountpoint=" + dataset.mountpoint;
  if (clean_path(dataset.mountpoint) == "/") return "mountpoint=/, where it would hide the whole system";
  return std::nullopt;
}

MountOutcome outcome_of(const Dataset& dataset, MountHappened happened, std::string detail = {}) {
  return {dataset.name, dataset.encryption_root, dataset.mountpoint, happened, std::move(detail)};
}

/// ZFS mounts wherever a link leads: whoever owns a directory on the way, as that of a home, could choose
/// where somebody else's filesystem comes up. A way without links is ZFS's own business.
std::optional<std::string> objection_to(const std::string& mountpoint) {
  const auto clean = clean_path(mountpoint);
  if (const auto place = check_mount_place(clean); !place) return place.error().message();
  if (real_path(clean) == clean) return std::nullopt;
  const auto guarded = check_guarded_way(clean);
  if (guarded) return std::nullopt;
  return "a link on the way to " + clean + " leads elsewhere: " + guarded.error().message();
}

/// For each of `ordered` how many others it lies in.
std::vector<std::size_t> depths_of(const std::vector<Dataset>& ordered) {
  std::vector<std::size_t> depths;
  std::vector<const Dataset*> around;
  for (const auto& dataset : ordered) {
    while (!around.empty() && !lies_within(dataset.mountpoint, around.back()->mountpoint)) around.pop_back();
    depths.push_back(around.size());
    if (wants_mount(dataset)) around.push_back(&dataset);
  }
  return depths;
}

/// All that is to be mounted, level by level.
class Mounting {
 public:
  Mounting(const std::vector<Dataset>& ordered, const std::vector<std::string>& held)
      : ordered_(ordered), held_(held), outcomes_(ordered.size()) {}

  /// `which` are places in the order given, none of them within another.
  void mount(const std::vector<std::size_t>& which, const MountTogether& mount) {
    std::vector<std::size_t> wanted;
    std::vector<const Dataset*> datasets;
    std::vector<std::string> hidden;
    for (const std::size_t i : which) {
      if (auto settled = settled_before_mounting(ordered_[i])) {
        settle(i, std::move(*settled));
      } else {
        wanted.push_back(i);
        datasets.push_back(&ordered_[i]);
        hidden.push_back(hidden_by_mounting(ordered_[i].mountpoint));
      }
    }
    if (wanted.empty()) return;
    const auto mounted = mount(datasets);
    for (std::size_t place = 0; place < wanted.size(); ++place) {
      auto outcome = mounted_outcome(ordered_[wanted[place]], mounted[place]);
      if (outcome.happened == MountHappened::kMounted) outcome.detail = std::move(hidden[place]);
      settle(wanted[place], std::move(outcome));
    }
  }

  void interrupt(const std::vector<std::size_t>& which) {
    for (const std::size_t i : which) settle(i, outcome_of(ordered_[i], MountHappened::kInterrupted));
  }

  [[nodiscard]] std::vector<MountOutcome> take() { return std::move(outcomes_); }

 private:
  void settle(std::size_t place, MountOutcome outcome) {
    const bool is_clear = ordered_[place].unclear.empty();
    if (outcome.happened == MountHappened::kFailed && is_clear) failed_.push_back(&ordered_[place]);
    outcomes_[place] = std::move(outcome);
  }

  [[nodiscard]] const Dataset* failed_parent(const Dataset& dataset) const {
    const auto parent = std::find_if(failed_.begin(), failed_.end(), [&](const Dataset* candidate) {
      return lies_within(dataset.mountpoint, candidate->mountpoint);
    });
    return parent == failed_.end() ? nullptr : *parent;
  }

  [[nodiscard]] std::optional<MountOutcome> settled_before_mounting(const Dataset& dataset) const {
    if (!dataset.unclear.empty()) {
      return outcome_of(dataset, MountHappened::kFailed,
                        "what zfs(8) says of it is not understood: " + dataset.unclear);
    }
    if (dataset.is_mounted) return outcome_of(dataset, MountHappened::kAlreadyMounted);
    if (auto reason = reason_to_skip(dataset)) return outcome_of(dataset, MountHappened::kSkipped, *reason);
    if (const Dataset* parent = failed_parent(dataset)) {
      return outcome_of(dataset, MountHappened::kFailed,
                        "it lies in " + parent->name + ", which is not mounted");
    }
    if (const auto place = held_by(dataset.mountpoint, held_)) {
      return outcome_of(dataset, MountHappened::kHeldBack, "it lies below " + *place);
    }
    if (auto objection = objection_to(dataset.mountpoint)) {
      return outcome_of(dataset, MountHappened::kFailed, std::move(*objection));
    }
    return std::nullopt;
  }

  static MountOutcome mounted_outcome(const Dataset& dataset, const Result<>& mounted) {
    if (mounted) return outcome_of(dataset, MountHappened::kMounted);
    const auto kind = mounted.error().kind();
    if (kind == ErrorKind::kExists) return outcome_of(dataset, MountHappened::kAlreadyMounted);
    if (kind == ErrorKind::kConflict) {
      return outcome_of(dataset, MountHappened::kSkipped, mounted.error().message());
    }
    if (kind == ErrorKind::kInterrupted) return outcome_of(dataset, MountHappened::kInterrupted);
    return outcome_of(dataset, MountHappened::kFailed, mounted.error().message());
  }

  const std::vector<Dataset>& ordered_;
  const std::vector<std::string>& held_;
  std::vector<MountOutcome> outcomes_;
  std::vector<const Dataset*> failed_;
};

Dataset unclear_one(const std::string& name, const std::string& root, const std::string& why) {
  Dataset dataset;
  dataset.name = name;
  dataset.encryption_root = root;
  dataset.unclear = why;
  return dataset;
}

/// The nearest of `volumes` that the name is, or lies below; empty without one.
std::string root_above(std::string_view name, const Names& volumes) {
  for (; !name.empty(); name = name.substr(0, name.rfind('/'))) {
    if (volumes.contains(name)) return std::string(name);
    if (name.find('/') == std::string_view::npos) break;
  }
  return {};
}

}  // namespace

void sort_by_mountpoint(std::vector<Dataset>& datasets) {
  std::sort(datasets.begin(), datasets.end(), [](const Dataset& left, const Dataset& right) {
    return std::tuple(fs::path(left.mountpoint), left.name) <
           std::tuple(fs::path(right.mountpoint), right.name);
  });
}

bool wants_mount(const Dataset& dataset) {
  return dataset.unclear.empty() && dataset.is_filesystem && !reason_to_skip(dataset);
}

Names pools_of(const Names& names) {
  Names pools;
  for (const auto& name : names) pools.emplace(pool_of(name));
  return pools;
}

std::vector<Dataset> in_mount_order(const Datasets& datasets, const Names& volumes, const Names& pools) {
  std::vector<Dataset> ordered;
  for (const auto& volume : volumes) {
    if (datasets.contains(volume)) continue;
    ordered.push_back(unclear_one(volume, volume, std::string(kNothingSaid)));
  }
  for (const auto& [name, dataset] : datasets) {
    if (!dataset.unclear.empty() && dataset.encryption_root.empty()) {
      const auto root = root_above(name, volumes);
      if (root.empty()) continue;
      ordered.push_back(unclear_one(name, root, dataset.unclear));
      continue;
    }
    const bool is_ours = dataset.encryption_root.empty() ? pools.contains(pool_of(name))
                                                         : volumes.contains(dataset.encryption_root);
    if (is_ours && (dataset.is_filesystem || !dataset.unclear.empty())) ordered.push_back(dataset);
  }
  sort_by_mountpoint(ordered);
  return ordered;
}

std::vector<MountOutcome> mount_all(const std::vector<Dataset>& ordered, const std::vector<std::string>& held,
                                    const std::stop_token& stop, const MountTogether& mount) {
  std::map<std::size_t, std::vector<std::size_t>> levels;
  const auto depths = depths_of(ordered);
  for (std::size_t i = 0; i < ordered.size(); ++i) levels[depths[i]].push_back(i);
  Mounting mounting(ordered, held);
  for (const auto& [depth, which] : levels) {
    if (stop.stop_requested()) {
      mounting.interrupt(which);
    } else {
      mounting.mount(which, mount);
    }
  }
  return mounting.take();
}

std::vector<MountOutcome> unmount_all(const std::vector<Dataset>& ordered, const std::stop_token& stop,
                                      const std::function<Result<>(const Dataset&)>& unmount) {
  std::vector<MountOutcome> outcomes;
  for (auto dataset = ordered.rbegin(); dataset != ordered.rend(); ++dataset) {
    if (!dataset->is_mounted && dataset->unclear.empty()) continue;
    if (stop.stop_requested()) {
      outcomes.push_back(outcome_of(*dataset, MountHappened::kInterrupted));
      continue;
    }
    const auto unmounted = unmount(*dataset);
    const bool is_done = unmounted || unmounted.error().kind() == ErrorKind::kNotFound;
    outcomes.push_back(is_done ? outcome_of(*dataset, MountHappened::kUnmounted)
                               : outcome_of(*dataset, MountHappened::kFailed, unmounted.error().message()));
  }
  return outcomes;
}

}  // namespace zkv::unlock
