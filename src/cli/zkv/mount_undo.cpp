// `zkv unmount`: unmounts what hangs on volumes, and forgets their keys.
#include <algorithm>
#include <cstdio>
#include <memory>

#include "base/plain_text.h"

#include "fetch_options.h"
#include "host/closing.h"
#include "host/remembered.h"
#include "host/stop_on_signal.h"
#include "mount_options.h"
#include "mount_report.h"
#include "unlock/registry.h"
#include "unlock/system_volumes.h"
#include "waiting_service.h"

namespace zkv::cli {

namespace {

struct UnmountOptions {
  std::vector<std::string> volumes;
  bool all = false;
  bool json = false;
  std::string via = "auto";
};

using Remembered = std::vector<host::VolumeOfKind>;

const host::VolumeOfKind* find_in(const Remembered& remembered, const std::string& name) {
  const auto found = std::ranges::find(remembered, name, [](const auto& one) { return one.volume.name; });
  return found == remembered.end() ? nullptr : &*found;
}

/// What hangs on a key that ZFS calls unloaded can be mounted: another filesystem was promoted meanwhile.
bool may_be_open(const unlock::VolumeState& state) {
  return state.is_open || state.is_mounted || state.presence == unlock::Presence::kUnknown;
}

/// The volumes among those that are remembered that are open, or may be for all that can be seen, without
/// those that the system lies on.
Result<std::vector<unlock::VolumeRef>> remembered_and_open(unlock::Unlocker& unlocker,
                                                           const Remembered& remembered,
                                                           const unlock::SystemVolumes& system) {
  std::vector<unlock::VolumeRef> volumes;
  for (const auto& [kind, volume] : remembered) {
    if (kind == unlocker.name()) volumes.push_back(volume);
  }
  std::vector<unlock::VolumeRef> open;
  if (volumes.empty()) return open;
  ZKV_TRY(const auto states, unlocker.inspect(volumes));
  for (const auto& state : states) {
    if (!may_be_open(state)) continue;
    const auto& volume = find_in(remembered, state.name)->volume;
    if (!system.hold(unlocker.name(), volume)) {
      open.push_back(volume);
    } else {
      static_cast<void>(std::fprintf(stderr,
                                     "zkv: %s stays open: this system, or the repository, lies on it\n",
                                     plain_text(volume.name).c_str()));
    }
  }
  return open;
}

/// Those of `names` that are volumes of this kind: as remembered, or because the machine has them; they are
/// taken out of `names`.
std::vector<unlock::VolumeRef> take_own(unlock::Unlocker& unlocker, const Remembered& remembered,
                                        std::vector<std::string>& names) {
  const auto is_own = [&](const std::string& name) {
    if (const auto* known = find_in(remembered, name)) return known->kind == unlocker.name();
    const auto states = unlocker.inspect({{name}});
    return states && states->front().presence == unlock::Presence::kPresent;
  };
  const auto others = std::stable_partition(names.begin(), names.end(), is_own);
  std::vector<unlock::VolumeRef> own;
  std::transform(names.begin(), others, std::back_inserter(own), [&](const std::string& name) {
    const auto* known = find_in(remembered, name);
    return known == nullptr ? unlock::VolumeRef{name, {}} : known->volume;
  });
  names.erase(names.begin(), others);
  return own;
}

tl::unexpected<Error> holds_the_system(const std::string& volume) {
  return tl::unexpected(
      Error::conflict("this system, or the repository, lies on " + volume + "; nothing was locked")
          .remedy("power the machine off to lock it"));
}

Result<host::MountReport> undo(const UnmountOptions& options, const std::filesystem::path& repository,
                               const std::stop_token& stop) {
  ZKV_TRY(const auto remembered, host::remembered_volumes());
  if (options.volumes.empty() && remembered.empty() && does_service_run()) {
    return Error::not_found("the boot has opened volumes, and nothing is remembered of them")
        .remedy("name them: zkv lock VOLUME...");
  }
  ZKV_TRY(const auto system, unlock::SystemVolumes::look({repository}));
  const auto unlockers = unlock::all_unlockers({.zfs = zfs_options(options.via)});
  std::vector<Error> errors;
  std::vector<std::vector<unlock::VolumeRef>> volumes(unlockers.size());
  auto named = options.volumes;
  for (std::size_t kind = 0; kind < unlockers.size(); ++kind) {
    auto own = options.volumes.empty() ? remembered_and_open(*unlockers[kind], remembered, system)
                                       : take_own(*unlockers[kind], remembered, named);
    if (own) {
      for (const auto& volume : *own) {
        if (system.hold(unlockers[kind]->name(), volume)) return holds_the_system(volume.name);
      }
      volumes[kind] = std::move(*own);
    } else {
      errors.push_back(std::move(own).error());
    }
  }
  // What nobody knows is told by the kind that most volumes are of.
  for (const auto& name : named) volumes.front().push_back({name, {}});
  auto report = host::unmount_and_close(unlockers, std::move(volumes), stop);
  std::move(errors.begin(), errors.end(), std::back_inserter(report.mount_errors));
  return report;
}

ExitCode unmount(const UnmountOptions& options, const Session& session) {
  const host::StopOnSignal signals;
  const auto outcome = undo(options, session.repository, signals.token());
  if (!outcome) return finish(tl::unexpected(outcome.error()));
  if (const auto printed = print_report(*outcome, options.json); !printed) return report(printed.error());
  if (signals.signal() != 0 && !outcome->is_complete()) return code_of_signal(signals.signal());
  return code_of_report(*outcome);
}

}  // namespace

void add_via_option(CLI::App& command, std::string& via) {
  command.add_option("--via", via, "how keys reach ZFS: lzc (libzfs_core), zfs (the program), or auto")
      ->check(CLI::IsMember({"lzc", "zfs", "auto"}))
      ->capture_default_str();
}

unlock::ZfsOptions zfs_options(const std::string& via) {
  unlock::ZfsOptions options;
  if (via == "lzc") options.road = unlock::Road::kLibrary;
  if (via == "zfs") options.road = unlock::Road::kProgram;
  return options;
}

void add_unmount_command(CLI::App& app, Session& session) {
  auto* command = app.add_subcommand("unmount", "unmount what hangs on volumes, and forget their keys");
  auto options = std::make_shared<UnmountOptions>();
  command->add_option("volume", options->volumes, "the volumes (default: all that zkv has opened)")
      ->type_name("VOLUME");
  command->add_flag("--json", options->json, "print the outcome as JSON");
  add_via_option(*command, options->via);
  command->callback([options, &session] { session.exit_code = unmount(*options, session); });
}

void add_lock_command(CLI::App& app, Session& session) {
  auto* command = app.add_subcommand("lock", "unmount volumes and forget their keys, now");
  auto options = std::make_shared<UnmountOptions>();
  auto* volumes = command->add_option("volume", options->volumes, "the volumes")->type_name("VOLUME");
  command->add_flag("--all", options->all, "all that zkv has opened")->excludes(volumes);
  command->add_flag("--json", options->json, "print the outcome as JSON");
  add_via_option(*command, options->via);
  command->callback([options, &session] {
    if (options->volumes.empty() && !options->all) {
      report(Error::invalid("no volume is named").remedy("name some, or lock them all: zkv lock --all"));
      session.exit_code = ExitCode::kUsage;
      return;
    }
    session.exit_code = unmount(*options, session);
    if (options->all && session.exit_code == ExitCode::kDone) let_service_stop();
    if (options->all && session.exit_code == ExitCode::kPartly) warn_of_partly_locked();
  });
}

}  // namespace zkv::cli
