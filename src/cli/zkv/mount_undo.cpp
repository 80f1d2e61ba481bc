// `zkv unmount`: unmounts what hangs on volumes, and forgets their keys.
#include <algorithm>
#include <memory>

#include "fetch_options.h"
#include "host/closing.h"
#include "host/stop_on_signal.h"
#include "host/unlock_record.h"
#include "mount_options.h"
#include "mount_report.h"
#include "unlock/registry.h"
#include "waiting_service.h"

namespace zkv::cli {

namespace {

struct UnmountOptions {
  std::vector<std::string> volumes;
  bool all = false;
  bool json = false;
  std::string via = "auto";
};

/// A volume of that name, with the settings that the record has for it.
unlock::VolumeRef as_recorded(const std::string& name, const host::UnlockRecord& record) {
  const auto last = record.find(name);
  return {name, last == record.end() ? repository::VolumeSettings() : last->second.settings};
}

/// The open volumes among those that zkv has opened some time.
Result<std::vector<unlock::VolumeRef>> recorded_and_open(unlock::Unlocker& unlocker,
                                                         const host::UnlockRecord& record) {
  std::vector<unlock::VolumeRef> volumes;
  for (const auto& [name, last] : record) {
    if (last.kind == unlocker.name()) volumes.push_back(as_recorded(name, record));
  }
  std::vector<unlock::VolumeRef> open;
  if (volumes.empty()) return open;
  ZKV_TRY(const auto states, unlocker.inspect(volumes));
  for (const auto& state : states) {
    if (state.is_open) open.push_back(as_recorded(state.name, record));
  }
  return open;
}

/// Those of `names` that are volumes of this kind: by the record, or because the machine has them; they are
/// taken out of `names`.
std::vector<unlock::VolumeRef> take_own(unlock::Unlocker& unlocker, const host::UnlockRecord& record,
                                        std::vector<std::string>& names) {
  const auto is_own = [&](const std::string& name) {
    if (const auto last = record.find(name); last != record.end())
      return last->second.kind == unlocker.name();
    const auto states = unlocker.inspect({{name}});
    return states && states->front().presence == unlock::Presence::kPresent;
  };
  const auto others = std::stable_partition(names.begin(), names.end(), is_own);
  std::vector<unlock::VolumeRef> own;
  std::transform(names.begin(), others, std::back_inserter(own),
                 [&](const std::string& name) { return as_recorded(name, record); });
  names.erase(names.begin(), others);
  return own;
}

Result<host::MountReport> undo(const UnmountOptions& options, const std::stop_token& stop) {
  ZKV_TRY(const auto record, host::read_record(host::default_record_path()));
  const auto unlockers = unlock::all_unlockers({.zfs = zfs_options(options.via)});
  std::vector<Error> errors;
  std::vector<std::vector<unlock::VolumeRef>> volumes(unlockers.size());
  auto named = options.volumes;
  for (std::size_t kind = 0; kind < unlockers.size(); ++kind) {
    auto own = options.volumes.empty() ? recorded_and_open(*unlockers[kind], record)
                                       : take_own(*unlockers[kind], record, named);
    if (own) {
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

ExitCode unmount(const UnmountOptions& options) {
  const host::StopOnSignal signals;
  const auto outcome = undo(options, signals.token());
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
  command->callback([options, &session] { session.exit_code = unmount(*options); });
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
    session.exit_code = unmount(*options);
    if (options->all && session.exit_code == ExitCode::kDone) let_service_stop();
  });
}

}  // namespace zkv::cli
