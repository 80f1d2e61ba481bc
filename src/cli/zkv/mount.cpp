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

/// What the boot's own zkv does while a person asks, and afterwards: a gateway takes the newer request of a
/// host for the one that counts.
class BesideService {
 public:
  BesideService() : is_asking_(does_service_ask()) {
    if (!is_asking_) return;
    static_cast<void>(
        std::fputs("zkv: zfs-keyvault.service asks already; once this has opened everything it "
                   "ends, and else it asks again\n",
                   stderr));
  }

  void keep(const repository::RepositoryKey& key) {
    key_ = repository::RepositoryKey{key.secret.clone(), key.gateway};
  }

  /// Without a key nothing is ended: not all was to be opened. Where somebody asked after this one, the
  /// service itself or another person, theirs is the request that counts.
  void go_on(ExitCode code) {
    const bool is_tried = code == ExitCode::kPartly || code == ExitCode::kFailed;
    if (key_ && (code == ExitCode::kDone || (is_asking_ && is_tried))) {
      return let_service_end(*key_, code == ExitCode::kDone);
    }
    if (!is_asking_ || code == ExitCode::kSuperseded) return;
    if (code == ExitCode::kDenied) return let_service_rest();
    let_service_ask_again();
  }

 private:
  bool is_asking_;
  std::optional<repository::RepositoryKey> key_;
};

ExitCode mount(Session& session, const MountOptions& options) {
  auto preparation = prepare_opening(options.open);
  std::optional<BesideService> service;
  if (!options.source.key.given() && !options.open.dry_run) service.emplace();
  const bool is_all = options.open.only.empty() && !options.open.no_mount;
  const auto code =
      with_repository_key(session, options.source, [&](Opening opening, const host::StopOnSignal& signals) {
        if (service && is_all) service->keep(opening.key);
        return open_volumes(std::move(opening), preparation, session, options.open, signals);
      });
  if (service) service->go_on(code);
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
