// The host's sweep of data at boot: a key opens the repository, its keys open volumes, and those are mounted.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/secret_bytes.h"
#include "repository/repository.h"
#include "unlock/unlocker.h"

namespace zkv::host {

struct MountOrder {
  std::filesystem::path repository;
  std::set<std::string> only = {};  ///< these volumes of the repository; empty: all
  bool wants_mounts = true;         ///< else volumes are opened and nothing more
  bool is_trial = false;            ///< only try whether each key would open its volume
};

struct VolumeReport {
  std::string kind;  ///< as Unlocker::name
  unlock::Outcome outcome;
  repository::VolumeSettings settings = {};
};

struct MountReport {
  std::vector<VolumeReport> volumes;  ///< in the repository's order for each kind
  std::vector<unlock::MountOutcome> mounts;
  std::vector<Error> mount_errors;     ///< where not even a list of filesystems could be had
  std::optional<std::string> warning;  ///< of the repository (an older generation was put back)

  [[nodiscard]] std::size_t opened() const;
  [[nodiscard]] bool is_complete() const;
};

using Unlockers = std::vector<std::unique_ptr<unlock::Unlocker>>;

/// Opens the repository with `key`, and then kind by kind all volumes that the order names, and mounts what
/// hangs on them: a kind that hangs keeps none before it from being mounted. `key` is wiped before the first
/// volume is opened, and each volume's key before the first filesystem of its kind is mounted. After a stop
/// request what has begun is finished and the rest reported as interrupted. Errors: those of
/// repository::open; kNotFound when `only` names what the repository does not hold.
Result<MountReport> open_and_mount(const MountOrder& order, repository::RepositoryKey key,
                                   const Unlockers& unlockers, const std::stop_token& stop);

/// Unmounts and closes `volumes` of one kind, children first.
MountReport unmount_and_close(unlock::Unlocker& unlocker, const std::vector<unlock::VolumeRef>& volumes,
                              const std::stop_token& stop);

}  // namespace zkv::host
