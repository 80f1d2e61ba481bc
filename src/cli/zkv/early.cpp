// `zkv early`: in an initramfs, asks the gateways and answers whatever asks for the passphrase of a volume.
#include <cstdio>
#include <memory>

#include "commands.h"
#include "host/handover.h"
#include "key_source.h"
#include "prompts/answering.h"
#include "repository/repository.h"
#include "unlock/crypt_open.h"
#include "unlock/registry.h"

namespace zkv::cli {

namespace {

void say_early(const std::string& line) {
  static_cast<void>(std::fprintf(stderr, "zkv: %s\n", line.c_str()));
}

/// The key that opens the repository is gone from this process before the first prompt is answered.
Result<> answer_with(const Session& session, Opening opening, const std::stop_token& stop) {
  auto opened = repository::open(session.repository, opening.key);
  if (!opened) return opening.explain(std::move(opened).error());
  if (opening.on_opened) opening.on_opened();
  if (opened->warning) say_early("warning: " + *opened->warning);
  if (const auto left = host::leave_handover(opening.key); !left)
    say_early("warning: " + left.error().message() + "; the system will ask once more");
  opening.key.secret = SecretBytes();
  return prompts::answer_prompts(opened->keys, prompts::all_askers({}), unlock::all_unlockers({}),
                                 {.say = say_early,
                                  .may_have_key =
                                      [&stop](const repository::VolumeKeys::Volume& volume) {
                                        return unlock::check_header(volume, {}, stop);
                                      }},
                                 stop);
}

ExitCode early(Session& session, const KeySourceOptions& options) {
  return with_repository_key(session, options, [&](Opening opening, const host::StopOnSignal& signals) {
    const auto done = answer_with(session, std::move(opening), signals.token());
    return done ? ExitCode::kDone : report(done.error());
  });
}

}  // namespace

void add_early_command(CLI::App& app, Session& session) {
  auto* command = app.add_subcommand("early", "in an initramfs: ask the gateways, and answer its prompts");
  const auto options = std::make_shared<KeySourceOptions>();
  options->gateway.timeout = 0;
  options->gateway.tpm_wait = kTpmWaitAtBoot;
  add_key_source_options(*command, *options);
  command->callback([&session, options] { session.exit_code = early(session, *options); });
}

}  // namespace zkv::cli
