// `zkv mount`: gets the repository's key, opens all volumes with what it holds, and mounts them.
#include <memory>

#include "key_source.h"
#include "mount_options.h"
#include "open_volumes.h"

namespace zkv::cli {

namespace {

struct MountOptions {
  KeySourceOptions source;
  OpenOptions open;
};

ExitCode mount(Session& session, const MountOptions& options) {
  auto preparation = prepare_opening(options.open);
  return with_repository_key(
      session, options.source, [&](Opening opening, const host::StopOnSignal& signals) {
        return open_volumes(std::move(opening), preparation, session, options.open, signals);
      });
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
