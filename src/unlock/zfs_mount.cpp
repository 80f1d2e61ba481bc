// Mounting by mountpoint, parents first.
#include "unlock/zfs_mount.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <tuple>

#include "unlock/order.h"

namespace zkv::unlock {

namespace {

namespace fs = std::filesystem;

/// Why the dataset's own properties keep it from being mounted; nothing when they do not.
std::optional<std::string> reason_to_skip(const Dataset& dataset) {
  if (dataset.can_mount != "on") return "canmount=" + dataset.can_mount;
  if (!dataset.mountpoint.starts_with('/')) return "mountpoint=" + dataset.mountpoint;
  return std::nullopt;
}

MountOutcome outcome_of(const Dataset& dataset, MountHappened happened, std::string detail = {}) {
  return {dataset.name, dataset.encryption_root, dataset.mountpoint, happened, std::move(detail)};
}

const Dataset* failed_parent(const Dataset& dataset, const std::vector<const Dataset*>& failed) {
  const auto parent = std::find_if(failed.begin(), failed.end(), [&](const Dataset* candidate) {
    return lies_within(dataset.mountpoint, candidate->mountpoint);
  });
  return parent == failed.end() ? nullptr : *parent;
}

MountOutcome mount_one(const Dataset& dataset, const std::vector<const Dataset*>& failed,
                       const std::vector<std::string>& held,
                       const std::function<Result<>(const std::string&)>& mount) {
  if (dataset.is_mounted) return outcome_of(dataset, MountHappened::kAlreadyMounted);
  if (auto reason = reason_to_skip(dataset)) return outcome_of(dataset, MountHappened::kSkipped, *reason);
  if (const Dataset* parent = failed_parent(dataset, failed)) {
    return outcome_of(dataset, MountHappened::kFailed,
                      "it lies in " + parent->name + ", which is not mounted");
  }
  if (const auto place = held_by(dataset.mountpoint, held)) {
    return outcome_of(dataset, MountHappened::kHeldBack, "it lies below " + *place);
  }
  const auto mounted = mount(dataset.name);
  if (mounted) return outcome_of(dataset, MountHappened::kMounted);
  if (mounted.error().kind() == ErrorKind::kExists)
    return outcome_of(dataset, MountHappened::kAlreadyMounted);
  return outcome_of(dataset, MountHappened::kFailed, mounted.error().message());
}

}  // namespace

bool wants_mount(const Dataset& dataset) { return dataset.is_filesystem && !reason_to_skip(dataset); }

std::vector<Dataset> in_mount_order(const Datasets& datasets, const Names& volumes, const Names& pools) {
  std::vector<Dataset> ordered;
  for (const auto& [name, dataset] : datasets) {
    const bool is_ours = dataset.encryption_root.empty() ? pools.contains(pool_of(name))
                                                         : volumes.contains(dataset.encryption_root);
    if (dataset.is_filesystem && is_ours) ordered.push_back(dataset);
  }
  std::sort(ordered.begin(), ordered.end(), [](const Dataset& left, const Dataset& right) {
    return std::tuple(fs::path(left.mountpoint), left.name) <
           std::tuple(fs::path(right.mountpoint), right.name);
  });
  return ordered;
}

std::vector<MountOutcome> mount_all(const std::vector<Dataset>& ordered, const std::vector<std::string>& held,
                                    const std::stop_token& stop,
                                    const std::function<Result<>(const std::string&)>& mount) {
  std::vector<MountOutcome> outcomes;
  std::vector<const Dataset*> failed;
  for (const auto& dataset : ordered) {
    if (stop.stop_requested()) {
      outcomes.push_back(outcome_of(dataset, MountHappened::kInterrupted));
      continue;
    }
    outcomes.push_back(mount_one(dataset, failed, held, mount));
    if (outcomes.back().happened == MountHappened::kFailed) failed.push_back(&dataset);
  }
  return outcomes;
}

std::vector<MountOutcome> unmount_all(const std::vector<Dataset>& ordered, const std::stop_token& stop,
                                      const std::function<Result<>(const std::string&)>& unmount) {
  std::vector<MountOutcome> outcomes;
  for (auto dataset = ordered.rbegin(); dataset != ordered.rend(); ++dataset) {
    if (!dataset->is_mounted) continue;
    if (stop.stop_requested()) {
      outcomes.push_back(outcome_of(*dataset, MountHappened::kInterrupted));
      continue;
    }
    const auto unmounted = unmount(dataset->name);
    const bool is_done = unmounted || unmounted.error().kind() == ErrorKind::kNotFound;
    outcomes.push_back(is_done ? outcome_of(*dataset, MountHappened::kUnmounted)
                               : outcome_of(*dataset, MountHappened::kFailed, unmounted.error().message()));
  }
  return outcomes;
}

}  // namespace zkv::unlock
