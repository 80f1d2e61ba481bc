// `zkv drill`: would this machine come back after a reboot? The whole road of a boot, up to the point where
// something would be opened.
#include <fmt/format.h>

#include <functional>
#include <iterator>
#include <memory>
#include <utility>

#include "fetch_options.h"
#include "findings.h"
#include "host/dependents.h"
#include "host/stop_on_signal.h"
#include "key_input.h"
#include "open_volumes.h"
#include "repository/repository.h"
#include "unlock/registry.h"

namespace zkv::cli {

namespace {

struct DrillOptions {
  KeyOptions key;
  GatewayOptions gateway{.addresses = {}, .timeout = 900, .ca_file = {}};
  bool json = false;
};

/// A key, and whom to tell that it opened the repository.
struct DrillKey {
  repository::RepositoryKey key;
  std::function<void()> on_opened = [] {};
};

Result<DrillKey> key_by_gateway(const Session& session, const DrillOptions& options,
                                const std::stop_token& stop) {
  ZKV_TRY(const auto enrolments, host::EnrolmentFolder(session.repository).all());
  if (enrolments.empty()) {
    return Error::invalid("this host is enrolled with no gateway")
        .remedy("enrol it first (zkv enroll LINK), or drill with a key: zkv drill --key-file FILE");
  }
  ZKV_TRY(auto released,
          fetch_shares(session.repository, enrolments, options.gateway, stop, {.is_drill = true}));
  repository::RepositoryKey key{std::move(released.shares), released.enrolment.gateway};
  return DrillKey{std::move(key),
                  [&session, &options, enrolment = released.enrolment, request = released.request] {
                    acknowledge(session.repository, {enrolment, SecretBytes(), request, {}}, options.gateway);
                  }};
}

Result<DrillKey> key_of(Session& session, const DrillOptions& options, const std::stop_token& stop) {
  if (!options.key.given()) return key_by_gateway(session, options, stop);
  ZKV_TRY(auto key, read_repository_key(session, options.key));
  return DrillKey{{std::move(key), std::nullopt}};
}

std::string sentence_of(const unlock::Outcome& outcome) {
  switch (outcome.happened) {
    case unlock::Happened::kUntried:
      return "its key was not tried: " + outcome.detail;
    case unlock::Happened::kServed:
      return "would be served";
    default:
      return unlock::is_success(outcome.happened) ? "its key fits" : "would not open";
  }
}

void print_drill_lines(const host::MountReport& report, const host::Drift& drift, Output& output) {
  for (const auto& volume : report.volumes) {
    output << volume.outcome.volume << ": " << sentence_of(volume.outcome) << "\n";
  }
  for (const auto& note : drift.notes) output << "Note: " << note << "\n";
  const auto count = report.volumes.size();
  if (drift.findings.empty()) {
    output << fmt::format("\nThis machine would come back after a reboot: {} volume{} would open.\n", count,
                          count == 1 ? "" : "s");
    output << "Units, tables and the network around them are looked at by 'zkv doctor'.\n";
    return;
  }
  output << "\nThis machine would NOT come back as it is after a reboot:\n";
  print_findings(drift.findings, output);
}

void print_drill_json(const host::MountReport& report, const host::Drift& drift, Output& output) {
  output << "{\"comes_back\":" << (drift.findings.empty() ? "true" : "false") << ",\"volumes\":[";
  for (const auto& volume : report.volumes) {
    if (&volume != &report.volumes.front()) output << ",";
    output << "{\"volume\":";
    output.json(volume.outcome.volume) << ",\"kind\":";
    output.json(volume.kind) << ",\"result\":";
    output.json(unlock::to_text(volume.outcome.happened)) << "}";
  }
  output << "],";
  print_json(drift, output);
  output << "}\n";
}

/// All that a boot would meet, with the keys tried by now.
host::Drift judge_boot(const Session& session, const host::MountReport& report,
                       const host::DriftRecord& record, const host::Unlockers& unlockers) {
  host::Drift drift;
  for (const auto& volume : report.volumes) {
    if (auto finding = host::finding_of(volume.outcome)) drift.findings.push_back(std::move(*finding));
  }
  auto dependents = host::check_dependents(record, unlockers);
  std::move(dependents.findings.begin(), dependents.findings.end(), std::back_inserter(drift.findings));
  drift.notes = report.warnings;
  std::move(dependents.notes.begin(), dependents.notes.end(), std::back_inserter(drift.notes));
  const auto enrolments =
      host::EnrolmentFolder(session.repository).all().value_or(std::vector<host::Enrolment>());
  for (auto& found : {mount_findings(record, unlockers), initramfs_findings(session.repository),
                      enrolment_findings(session.repository, enrolments)}) {
    drift.findings.insert(drift.findings.end(), found.begin(), found.end());
  }
  return drift;
}

ExitCode drill_with(DrillKey key, const Session& session, const DrillOptions& options,
                    const host::StopOnSignal& signals) {
  const auto unlockers = unlock::all_unlockers({});
  const host::MountOrder order{.repository = session.repository, .is_trial = true};
  const auto opened = host::open_and_mount(order, std::move(key.key), unlockers, signals.token());
  if (!opened) return report(opened.error());
  key.on_opened();
  if (signals.signal() != 0) return code_of_signal(signals.signal());
  auto record = host::read_drift_record(host::default_drift_path()).value_or(host::DriftRecord());
  host::take_in(record, *opened, true, unlockers, now());
  auto drift = judge_boot(session, *opened, record, unlockers);
  if (options.key.given())
    drift.notes.emplace_back(
        "by this key no gateway was asked: see whether one answers by 'zkv drill' alone");
  Output output;
  if (options.json) {
    print_drill_json(*opened, drift, output);
  } else {
    print_drill_lines(*opened, drift, output);
  }
  const auto kept = host::change_drift_record(host::default_drift_path(), [&](host::DriftRecord& remembered) {
    if (!host::belongs_to(remembered, session.repository)) return;
    remembered.volumes = std::move(record.volumes);
    remembered.changing = std::move(record.changing);
    if (drift.findings.empty()) remembered.drilled = now();
  });
  if (const auto printed = output.write(); !printed) return report(printed.error());
  if (!kept) return report(kept.error());
  return drift.findings.empty() ? ExitCode::kDone : ExitCode::kPartly;
}

ExitCode drill(Session& session, const DrillOptions& options) {
  const auto format = repository::format_of(session.repository);
  if (!format) return report(format.error());
  const host::StopOnSignal signals;
  auto key = key_of(session, options, signals.token());
  if (!key && signals.signal() != 0) return code_of_signal(signals.signal());
  if (!key) return report(key.error());
  return drill_with(std::move(*key), session, options, signals);
}

}  // namespace

void add_drill_command(CLI::App& app, Session& session) {
  auto* command = app.add_subcommand(
      "drill", "see by a full rehearsal whether this machine would come back after a reboot");
  const auto options = std::make_shared<DrillOptions>();
  add_key_options(*command, options->key);
  command->add_option("--timeout", options->gateway.timeout, "seconds to wait for somebody; 0: no limit")
      ->type_name("SECONDS")
      ->capture_default_str();
  add_trust_options(*command, options->gateway);
  add_tpm_option(*command, options->gateway);
  command->add_flag("--json", options->json, "print JSON");
  command->callback([options, &session] { session.exit_code = drill(session, *options); });
}

}  // namespace zkv::cli
