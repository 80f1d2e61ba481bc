// The host's sweep of data at boot: a key opens the repository, its keys open volumes, and those are mounted.
#pragma once

#include <filesystem>
#include <functional>
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
  /// Called with all that is to be opened, before anything is.
  std::function<void(const repository::VolumeKeys&)> on_keys = {};
};

struct VolumeReport {
  std::string kind;  ///< as Unlocker::name
  unlock::Outcome outcome;
  repository::VolumeSettings settings = {};
};

struct MountReport {
  std::vector<VolumeReport> volumes;  ///< in the order in which they were tried
  std::vector<unlock::MountOutcome> mounts;
  std::vector<Error> mount_errors;    ///< where not even a list of filesystems could be had
  std::vector<std::string> changing;  ///< those whose keys are being changed
  std::vector<std::string> warnings;  ///< an older generation was put back; derived keys could not be kept

  [[nodiscard]] std::size_t opened() const;
  [[nodiscard]] bool is_complete() const;
};

using Unlockers = std::vector<std::unique_ptr<unlock::Unlocker>>;

/// Opens the repository with `key`, and then all volumes that the order names, what each lies on before it,
/// and mounts what hangs on them. Each volume's key is wiped before what hangs on it is mounted, and `key`
/// with the last of them. Keys that had to be derived from passphrases are put into a version 2 repository as
/// soon as they have opened their volumes. After a stop request what has begun is finished and the rest
/// reported as interrupted. Errors: those of repository::open; kNotFound when `only` names what the
/// repository does not hold.
Result<MountReport> open_and_mount(const MountOrder& order, repository::RepositoryKey key,
                                   const Unlockers& unlockers, const std::stop_token& stop);

}  // namespace zkv::host
