// `zkv early`: in an initramfs, asks the gateways and answers whatever asks for the passphrase of a volume.
#include <cstdio>
#include <memory>

#include "commands.h"
#include "fetch_options.h"
#include "host/handover.h"
#include "host/stop_on_signal.h"
#include "mount_options.h"
#include "prompts/answering.h"
#include "repository/repository.h"
#include "unlock/registry.h"

namespace zkv::cli {

namespace {

void say_early(const std::string& line) {
  static_cast<void>(std::fprintf(stderr, "zkv: %s\n", line.c_str()));
}

struct EarlyKey {
  repository::RepositoryKey key;
  std::optional<host::Released> released;  ///< to be acknowledged
};

Result<EarlyKey> ask_early(const Session& session, const GatewayOptions& options,
                           const std::stop_token& stop) {
  ZKV_CHECK(repository::format_of(session.repository));
  ZKV_TRY(const auto addresses, gateway_addresses(options));
  if (!addresses.empty()) {
    ZKV_TRY(auto key, fetch_key(addresses, options, false, stop));
    return EarlyKey{{std::move(key), std::nullopt}, std::nullopt};
  }
  ZKV_TRY(const auto enrolments, host::EnrolmentFolder(session.repository).all());
  if (enrolments.empty()) {
    return Error::invalid("this host is enrolled with no gateway")
        .remedy("enrol it (zkv enroll LINK), and make the initramfs anew");
  }
  ZKV_TRY(auto released, fetch_shares(session.repository, enrolments, options, stop));
  repository::RepositoryKey key{released.shares.clone(), released.enrolment.gateway};
  return EarlyKey{std::move(key), std::move(released)};
}

Result<> answer_with(const Session& session, const GatewayOptions& options, EarlyKey asked,
                     const std::stop_token& stop) {
  ZKV_TRY(const auto opened, repository::open(session.repository, asked.key));
  if (asked.released) acknowledge(session.repository, *asked.released, options);
  asked.released.reset();
  if (opened.warning) say_early("warning: " + *opened.warning);
  if (const auto left = host::leave_handover(asked.key); !left)
    say_early("warning: " + left.error().message() + "; the system will ask once more");
  asked.key.secret = SecretBytes();
  return prompts::answer_prompts(opened.keys, prompts::all_askers({}), unlock::all_unlockers({}),
                                 {.say = say_early}, stop);
}

ExitCode early(Session& session, const GatewayOptions& options) {
  const host::StopOnSignal signals;
  auto asked = ask_early(session, options, signals.token());
  if (signals.signal() != 0) return code_of_signal(signals.signal());
  if (!asked) return report(asked.error());
  const auto done = answer_with(session, options, std::move(*asked), signals.token());
  return done ? ExitCode::kDone : report(done.error());
}

}  // namespace

void add_early_command(CLI::App& app, Session& session) {
  auto* command = app.add_subcommand("early", "in an initramfs: ask the gateways, and answer its prompts");
  const auto options = std::make_shared<GatewayOptions>();
  add_gateway_options(*command, *options);
  add_tpm_option(*command, *options);
  command->callback([&session, options] { session.exit_code = early(session, *options); });
}

}  // namespace zkv::cli
