// `zkv unlock`: a person at the console opens everything with what they have, and no gateway is asked.
#include <memory>

#include "commands.h"
#include "key_input.h"
#include "kit_input.h"
#include "open_volumes.h"
#include "terminal.h"
#include "waiting_service.h"

namespace zkv::cli {

namespace {

struct UnlockOptions {
  KitOptions kit;
  OpenOptions open;
  bool recovery = false;
  bool passphrase = false;
};

Result<SecretBytes> key_of_person(Session& session, const UnlockOptions& options) {
  if (!options.kit.files.empty() || options.recovery) return read_recovery_key(session, options.kit);
  if (!options.passphrase) return read_repository_key(session, {});
  return ask_for_secret("Passphrase of the repository " + session.repository.string());
}

Error explain_to_person(Error error, const UnlockOptions& options) {
  if (error.kind() != ErrorKind::kWrongKey || options.passphrase) return error;
  return std::move(error).remedy(
      "if the words were taken, they are of another repository, or their slot was removed: compare the kit's "
      "number, "
      "id and slot with 'zkv slot list' and 'zkv repository show'");
}

ExitCode unlock_by_hand(Session& session, const UnlockOptions& options) {
  const auto format = repository::format_of(session.repository);
  if (!format) return report(format.error());
  auto preparation = prepare_opening(options.open);
  auto key = key_of_person(session, options);  // while a person types, signals do what they always do
  if (!key) return report(key.error());
  const bool is_all = !options.open.dry_run && !options.open.no_mount && options.open.only.empty();
  WaitingService service;
  repository::RepositoryKey given{std::move(*key), std::nullopt};
  if (is_all) service.keep(given);
  const auto code =
      open_volumes({.key = std::move(given),
                    .explain = [&](Error error) { return explain_to_person(std::move(error), options); }},
                   preparation, session, options.open, host::StopOnSignal());
  if (code == ExitCode::kDone) service.end(true);
  return code;
}

}  // namespace

void add_unlock_command(CLI::App& app, Session& session) {
  auto* command = app.add_subcommand("unlock", "open all volumes and mount them by hand, without a gateway");
  const auto options = std::make_shared<UnlockOptions>();
  auto* recovery = command->add_flag("--recovery", options->recovery, "ask for the words of a recovery kit");
  command->add_flag("--passphrase", options->passphrase, "ask for the passphrase of a slot")
      ->excludes(recovery);
  add_kit_options(*command, options->kit);
  add_open_options(*command, options->open);
  command->callback([&session, options] { session.exit_code = unlock_by_hand(session, *options); });
}

}  // namespace zkv::cli
