// `zkv reboot-approval`: has somebody approve this machine's next boot before it happens.
#include <fmt/format.h>

#include <map>
#include <memory>

#include "fetch_options.h"
#include "host/stop_on_signal.h"
#include "output.h"
#include "protocol/messages.h"

namespace zkv::cli {

namespace {

struct RebootOptions {
  GatewayOptions gateway{.addresses = {}, .timeout = 900, .ca_file = {}};
  std::int64_t within = 7'200;  ///< seconds
};

Result<std::vector<host::Enrolment>> enrolments_of(const Session& session) {
  ZKV_TRY(auto all, host::EnrolmentFolder(session.repository).all());
  if (!all.empty()) return all;
  return Error::invalid("this host is enrolled with no gateway").remedy("enrol it first: zkv enroll LINK");
}

ExitCode ask_for_reboot(const Session& session, const RebootOptions& options) {
  const auto enrolments = enrolments_of(session);
  if (!enrolments) {
    report(enrolments.error());
    return ExitCode::kUsage;
  }
  const host::StopOnSignal signals;
  const auto approved = fetch_shares(session.repository, *enrolments, options.gateway, signals.token(),
                                     {.next_boot = std::chrono::seconds(options.within)});
  if (!approved && signals.signal() != 0) return code_of_signal(signals.signal());
  if (!approved) return report(approved.error());
  acknowledge(session.repository, *approved, options.gateway);
  Output out;
  out << fmt::format(
      "The next boot of this machine is approved at {} until {}: it will open its volumes without anybody "
      "being asked, once.\nAn approver can take it back until then. Now reboot.\n",
      approved->enrolment.address, to_text(approved->next_boot_until));
  return finish(out.write());
}

}  // namespace

void add_reboot_command(CLI::App& app, Session& session) {
  auto* command =
      app.add_subcommand("reboot-approval", "have the next boot approved beforehand, for one request");
  auto options = std::make_shared<RebootOptions>();
  const std::map<std::string, std::int64_t> units{{"s", 1}, {"m", 60}, {"h", 3'600}, {"d", 86'400}};
  command
      ->add_option("--within", options->within,
                   "how long it can be used, as in 30m, 2h (default), at most 1d")
      ->transform(CLI::AsNumberWithUnit(units, CLI::AsNumberWithUnit::UNIT_REQUIRED, "TIME"))
      ->check(CLI::Range(protocol::kShortestNextBoot.count(), protocol::kLongestNextBoot.count()));
  command->add_option("--timeout", options->gateway.timeout, "seconds to wait for somebody; 0: no limit")
      ->capture_default_str();
  add_trust_options(*command, options->gateway);
  add_tpm_option(*command, options->gateway);
  command->callback([options, &session] { session.exit_code = ask_for_reboot(session, *options); });
}

}  // namespace zkv::cli
