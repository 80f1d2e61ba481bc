// `zkv mount`: gets the repository's key, opens all volumes with what it holds, and mounts them.
#include <cstdio>
#include <memory>
#include <optional>

#include "key_source.h"
#include "mount_options.h"
#include "open_volumes.h"
#include "waiting_service.h"

namespace zkv::cli {

namespace {

struct MountOptions {
  KeySourceOptions source;
  OpenOptions open;
};

void tell_of_boots_asking() {
  static_cast<void>(std::fputs(
      "zkv: zfs-keyvault.service asks already; once this has opened everything it ends, and else it "
      "asks again\n",
      stderr));
}

/// What becomes of the boot's own zkv afterwards: a gateway takes the newer request of a host for the one
/// that counts. Where somebody asked after this one, the service itself or another person, that is theirs.
void let_boot_go_on(WaitingService& service, ExitCode code, bool is_all) {
  const bool is_tried = code == ExitCode::kPartly || code == ExitCode::kFailed;
  if (is_all && (code == ExitCode::kDone || (service.was_asking() && is_tried))) {
    return service.end(code == ExitCode::kDone);
  }
  service.forget();
  if (!service.was_asking() || code == ExitCode::kSuperseded) return;
  if (code == ExitCode::kDenied) return let_service_rest();
  let_service_ask_again();
}

ExitCode mount(Session& session, const MountOptions& options) {
  auto preparation = prepare_opening(options.open);
  std::optional<WaitingService> service;
  if (!options.open.dry_run) service.emplace();
  if (service && options.source.key.given() && !service->was_queued()) service.reset();
  if (service && service->was_asking()) tell_of_boots_asking();
  const bool is_all = options.open.only.empty() && !options.open.no_mount;
  const auto code =
      with_repository_key(session, options.source, [&](Opening opening, const host::StopOnSignal& signals) {
        if (service && is_all) service->keep(opening.key);
        return open_volumes(std::move(opening), preparation, session, options.open, signals);
      });
  if (service) let_boot_go_on(*service, code, is_all);
  if (code == ExitCode::kDone && !is_all && !options.open.dry_run) tell_of_failed_service();
  return code;
}

}  // namespace

void add_mount_commands(CLI::App& app, Session& session) {
  auto* command = app.add_subcommand("mount", "get the key from a gateway, open all volumes and mount them");
  auto options = std::make_shared<MountOptions>();
  add_key_source_options(*command, options->source);
  add_open_options(*command, options->open);
  command->callback([options, &session] {
    options->source.is_drill = options->open.dry_run;
    session.exit_code = mount(session, *options);
  });
  add_unmount_command(app, session);
  add_lock_command(app, session);
}

}  // namespace zkv::cli
