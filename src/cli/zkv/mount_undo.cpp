// `zkv unmount`: unmounts what hangs on volumes, and forgets their keys.
#include <algorithm>
#include <memory>

#include "fetch_options.h"
#include "host/boot.h"
#include "host/stop_on_signal.h"
#include "host/unlock_record.h"
#include "mount_options.h"
#include "mount_report.h"
#include "unlock/registry.h"

namespace zkv::cli {

namespace {

struct UnmountOptions {
  std::vector<std::string> volumes;
  bool json = false;
  std::string via = "auto";
};

/// The open volumes among those that zkv has opened some time.
Result<std::vector<std::string>> recorded_and_open(unlock::Unlocker& unlocker) {
  ZKV_TRY(const auto record, host::read_record(host::default_record_path()));
  std::vector<std::string> names;
  for (const auto& [name, last] : record) {
    if (last.kind == unlocker.name()) names.push_back(name);
  }
  ZKV_TRY(const auto states, unlocker.inspect(names));
  std::vector<std::string> open;
  for (const auto& state : states) {
    if (state.is_open) open.push_back(state.name);
  }
  return open;
}

Result<host::MountReport> undo(const UnmountOptions& options, const std::stop_token& stop) {
  host::MountReport whole;
  for (const auto& unlocker : unlock::all_unlockers({.zfs = zfs_options(options.via)})) {
    auto names = options.volumes;
    if (names.empty()) {
      ZKV_TRY(names, recorded_and_open(*unlocker));
    }
    auto part = host::unmount_and_close(*unlocker, names, stop);
    std::move(part.volumes.begin(), part.volumes.end(), std::back_inserter(whole.volumes));
    std::move(part.mounts.begin(), part.mounts.end(), std::back_inserter(whole.mounts));
    std::move(part.mount_errors.begin(), part.mount_errors.end(), std::back_inserter(whole.mount_errors));
  }
  return whole;
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

}  // namespace zkv::cli
