// What `mount` and `unlock` share: from the repository's key to mounted filesystems, and the report of it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "commands.h"
#include "host/boot.h"
#include "host/stop_on_signal.h"
#include "repository/repository.h"
#include "unlock/hand_over.h"
#include "unlock/preparation.h"

namespace zkv::cli {

struct OpenOptions {
  std::vector<std::string> only;
  bool no_mount = false;
  bool dry_run = false;
  bool json = false;
  std::string via = "auto";
};

/// Adds --only, --no-mount, --dry-run, --json and --via.
void add_open_options(CLI::App& command, OpenOptions& options);
/// Of these --only, --no-mount and --via.
void add_opening_options(CLI::App& command, OpenOptions& options);

struct Opening {
  repository::RepositoryKey key;
  /// Called once all is open and mounted, before that is written down; not where a stop was asked for.
  std::function<Result<>()> on_done = {};
  std::function<void()> on_opened = {};  ///< called when it has opened, and what was in it is told
  std::function<Error(Error)> explain = std::identity();  ///< may give a failure to open it another remedy
  std::function<void(const repository::VolumeKeys&)> on_keys = {};  ///< called with all that is to be opened
  std::optional<unlock::HandOver> hand_over = {};  ///< what is not opened here, but handed to others
};

/// Begins what an opening needs beside the key, which may take a person's time to be had.
unlock::Preparation prepare_opening(const OpenOptions& options);

/// Opens all volumes that are wanted, mounts them, prints what happened and keeps it in the record of
/// unlocks. `preparation` was begun for the same options.
ExitCode open_volumes(Opening opening, unlock::Preparation& preparation, const Session& session,
                      const OpenOptions& options, const host::StopOnSignal& signals);

/// Remembers which keys of the repository were just seen to fit, for `zkv check`; `is_whole`: the report is
/// of all volumes. Nothing for a repository that is not this machine's own. Errors: kIo.
Result<> keep_proofs(const Session& session, const host::MountReport& report, bool is_whole,
                     const host::Unlockers& unlockers);

}  // namespace zkv::cli
