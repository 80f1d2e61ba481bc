// `zkv check`: the drift guard. Would the next boot founder on something that changed since the last?
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <utility>

#include "fetch_options.h"
#include "findings.h"
#include "host/dependents.h"
#include "host/drift.h"
#include "host/heartbeat_client.h"
#include "host/stop_on_signal.h"
#include "key_input.h"
#include "open_volumes.h"
#include "repository/change.h"
#include "repository/generation.h"
#include "repository/repository.h"
#include "repository/store.h"
#include "unlock/registry.h"

namespace zkv::cli {

namespace {

struct CheckOptions {
  KeyOptions key;
  GatewayOptions gateway;
  bool no_heartbeat = false;
  bool accept = false;
  bool json = false;
};

/// What the gateways said, beside the findings.
struct Checked {
  host::Drift drift;
  std::vector<std::pair<std::string, host::GatewayHealth>> gateways;
};

host::Finding as_finding(const std::string& about, const Error& error) {
  return {about, error.message(), error.remedy()};
}

/// Each key by a trial, which sees what no look from outside does. Errors: those of repository::open.
Result<> try_keys(const SecretBytes& key, const Session& session, const host::Unlockers& unlockers,
                  host::Drift& drift) {
  const host::MountOrder order{.repository = session.repository, .is_trial = true};
  ZKV_TRY(const auto report, host::open_and_mount(order, {key.clone(), std::nullopt}, unlockers, {}));
  for (const auto& volume : report.volumes) {
    if (auto finding = host::finding_of(volume.outcome)) drift.findings.push_back(std::move(*finding));
  }
  drift.notes.insert(drift.notes.end(), report.warnings.begin(), report.warnings.end());
  return keep_proofs(session, report, true, unlockers);
}

/// Adds to `told` what is found of others.
void add_of_others(std::vector<host::Finding> found, std::vector<host::Finding>& told) {
  const auto before = told;
  for (auto& finding : found) {
    const bool is_told = std::any_of(before.begin(), before.end(), [&](const host::Finding& other) {
      return other.about == finding.about;
    });
    if (!is_told) told.push_back(std::move(finding));
  }
}

/// What was tried just now and did not fit needs no second word about how it looks.
void look_from_outside(const host::DriftRecord& record, const std::vector<std::string>& names,
                       const host::Unlockers& unlockers, host::Drift& drift) {
  auto seen = host::find_drift(record, names, unlockers);
  add_of_others(std::move(seen.findings), drift.findings);
  std::move(seen.notes.begin(), seen.notes.end(), std::back_inserter(drift.notes));
  add_of_others(mount_findings(record, unlockers), drift.findings);
  add_of_others(host::check_dependents(record, unlockers).findings, drift.findings);
}

std::optional<host::Finding> certificate_finding(const host::Enrolment& enrolment, std::optional<Time> ends) {
  if (enrolment.certificate) return std::nullopt;  // Pinned: its dates are not looked at.
  return host::finding_of_end(enrolment.address, "its TLS certificate", ends, now(),
                              "renew it there, before this host no longer speaks to it");
}

void judge(const std::string& address, const host::GatewayHealth& health, host::Drift& drift) {
  if (health.share == protocol::ShareState::kMissing) {
    drift.findings.push_back({address, "its vault does not give this host's share: " + health.why,
                              "restore it there, or enrol again: zkvgateway host invite NAME"});
  }
  if (health.share == protocol::ShareState::kUnknown) {
    drift.findings.push_back({address, "its vault does not answer: " + health.why, "zkvgateway doctor"});
  }
  auto expiry = host::finding_of_end(address, "this host's share in its vault", health.share_expires, now(),
                                     "change its expiration date in the vault");
  if (expiry) drift.findings.push_back(std::move(*expiry));
}

/// 0 where there is none.
std::uint64_t generation_of(const std::filesystem::path& repository) {
  const auto description = repository::describe(repository);
  return description && description->outside ? description->outside->header.generation : 0;
}

host::SignOfLife sign_of(const host::Enrolment& enrolment, const std::filesystem::path& repository,
                         const host::Drift& drift) {
  host::SignOfLife sign;
  sign.version = ZKV_VERSION;
  sign.generation = generation_of(repository);
  for (const auto& finding : drift.findings) sign.findings.push_back(finding.text());
  sign.on_certificate = [&enrolment](std::optional<Time> ends) -> std::optional<std::string> {
    const auto finding = certificate_finding(enrolment, ends);
    return finding ? std::optional(finding->text()) : std::nullopt;
  };
  return sign;
}

/// What one gateway adds is told to it the next time; what was found before, now.
void speak_to_gateways(const Session& session, const CheckOptions& options,
                       const std::vector<host::Enrolment>& enrolments, const std::stop_token& stop,
                       Checked& checked) {
  const host::EnrolmentFolder folder(session.repository);
  const host::Drift found = checked.drift;
  for (const auto& enrolment : enrolments) {
    const auto keys = folder.keys_of(enrolment, options.gateway.tpm);
    if (!keys) {
      checked.drift.findings.push_back(as_finding(enrolment.address, keys.error()));
      continue;
    }
    if (enrolment.predecessor) {
      checked.drift.findings.push_back(
          {enrolment.address, "it still keeps the share from before this machine was given new keys",
           "zkv rotate"});
    }
    if (options.no_heartbeat) continue;
    const auto health = host::send_heartbeat(enrolment, *keys, sign_of(enrolment, session.repository, found),
                                             exchange_with(enrolment.certificate, options.gateway), stop);
    if (!health && health.error().kind() == ErrorKind::kUnsupported) {
      checked.drift.notes.push_back(health.error().message());
      continue;
    }
    if (!health) {
      checked.drift.findings.push_back(as_finding(enrolment.address, health.error()));
      continue;
    }
    judge(enrolment.address, *health, checked.drift);
    if (auto finding = certificate_finding(enrolment, health->certificate_ends)) {
      checked.drift.findings.push_back(std::move(*finding));
    }
    checked.gateways.emplace_back(enrolment.address, *health);
  }
}

std::string time_or_empty(const std::optional<Time>& time) { return time ? to_text(*time) : std::string(); }

void print_checked_json(const Checked& checked, Output& output) {
  output << "{";
  print_json(checked.drift, output);
  output << ",\"gateways\":[";
  for (const auto& gateway : checked.gateways) {
    if (&gateway != &checked.gateways.front()) output << ",";
    output << "{\"gateway\":";
    output.json(gateway.first) << ",\"share\":";
    output.json(protocol::to_text(gateway.second.share)) << ",\"share_expires\":";
    output.json(time_or_empty(gateway.second.share_expires)) << ",\"certificate_ends\":";
    output.json(time_or_empty(gateway.second.certificate_ends)) << "}";
  }
  output << "]}\n";
}

void print_checked_lines(const host::Drift& drift, Output& output) {
  const auto count = drift.findings.size();
  output << (count == 0 ? std::string("Nothing was found that the next boot could founder on\n")
                        : fmt::format("{} finding{}:\n", count, count == 1 ? "" : "s"));
  print_findings(drift.findings, output);
  for (const auto& note : drift.notes) output << "Note: " << note << "\n";
}

Result<> print_checked(const Checked& checked, bool as_json) {
  Output output;
  if (as_json) {
    print_checked_json(checked, output);
  } else {
    print_checked_lines(checked.drift, output);
  }
  return output.write();
}

ExitCode accept_all(const std::vector<std::string>& names, const host::Unlockers& unlockers) {
  Result<std::vector<std::string>> accepted;
  const auto kept = host::change_drift_record(host::default_drift_path(), [&](host::DriftRecord& record) {
    accepted = host::accept_strangers(record, names, unlockers);
  });
  if (!kept) return report(kept.error());
  if (!accepted) return report(accepted.error());
  Output output;
  for (const auto& name : *accepted) output << name << " stays out of the repository from now on\n";
  if (accepted->empty()) output << "There is nothing to be accepted\n";
  return finish(output.write());
}

/// What the check stands on: all that can be found wrong before anything is looked at.
struct Basis {
  SecretBytes key;  ///< empty: none was given
  std::vector<host::Enrolment> enrolments;
  std::vector<std::string> names;  ///< of volumes, as approvers are shown them
};

Result<Basis> read_basis(Session& session, const CheckOptions& options) {
  ZKV_CHECK(repository::format_of(session.repository));
  Basis basis;
  if (options.key.given()) {
    ZKV_TRY(basis.key, read_repository_key(session, options.key));
  }
  const host::EnrolmentFolder folder(session.repository);
  ZKV_TRY(basis.enrolments, folder.all());
  basis.names = folder.volumes().value_or(std::vector<std::string>());
  return basis;
}

/// Whether it is the one that was enrolled, and no older copy of it.
void look_at_repository(const Session& session, const std::vector<host::Enrolment>& enrolments,
                        host::Drift& drift) {
  if (const auto warning = repository::rollback_warning(session.repository)) {
    const auto previous = repository::real_path(session.repository).string() + ".previous";
    const bool is_newer = generation_of(previous) > generation_of(session.repository);
    drift.findings.push_back({session.repository, *warning,
                              "put the newest back" +
                                  (is_newer ? ", such as " + previous : std::string(", from a backup")) +
                                  "; keys and slots that came later are not in this one"});
  }
  if (const auto damage = repository::damage_warning(session.repository)) {
    drift.findings.push_back({session.repository, *damage,
                              "see whether it opens: zkv drill; if not, put " +
                                  repository::real_path(session.repository).string() +
                                  ".previous or a backup in its place"});
  }
  add_of_others(enrolment_findings(session.repository, enrolments), drift.findings);
}

/// What is remembered says nothing of one that was never opened here while another was. A second one that
/// somebody names may be meant so.
void tell_of_another(const host::DriftRecord& record, const Session& session, host::Drift& drift) {
  auto remembered = record;
  if (host::belongs_to(remembered, session.repository)) return;
  const std::string told = "what this machine opened last is another repository, " + record.repository +
                           ": whether this one lacks anything cannot be told";
  if (session.repository != repository::default_path()) {
    drift.notes.push_back(session.repository.string() + ": " + told);
    return;
  }
  drift.findings.push_back({session.repository, told,
                            "if that one is given up, move it away, and open this one once: zkv unlock"});
}

/// Everything on this machine. Errors: those of repository::open, with a key.
Result<> check_here(const Session& session, const Basis& basis, const host::Unlockers& unlockers,
                    host::Drift& drift) {
  if (!basis.key.empty()) ZKV_CHECK(try_keys(basis.key, session, unlockers, drift));
  const auto path = host::default_drift_path();
  const auto record = host::read_drift_record(path);
  if (!record) drift.findings.push_back(as_finding(path, record.error()));
  look_from_outside(record.value_or(host::DriftRecord()), basis.names, unlockers, drift);
  if (record) {
    if (auto finding = host::finding_of_changes(*record)) drift.findings.push_back(std::move(*finding));
    tell_of_another(*record, session, drift);
  }
  add_of_others(initramfs_findings(session.repository), drift.findings);
  look_at_repository(session, basis.enrolments, drift);
  const auto mode = host::EnrolmentFolder(session.repository).check_mode();
  if (!mode) drift.findings.push_back(as_finding("enrolments", mode.error()));
  return {};
}

ExitCode check(Session& session, const CheckOptions& options) {
  const auto basis = read_basis(session, options);
  if (!basis) return report(basis.error());
  const auto unlockers = unlock::all_unlockers({});
  if (options.accept) return accept_all(basis->names, unlockers);
  const host::StopOnSignal signals;
  Checked checked;
  if (const auto done = check_here(session, *basis, unlockers, checked.drift); !done) {
    return report(done.error());
  }
  if (basis->enrolments.empty())
    checked.drift.notes.emplace_back(
        "this host is enrolled with no gateway: whether the boot has anybody to ask, 'zkv doctor' tells");
  speak_to_gateways(session, options, basis->enrolments, signals.token(), checked);
  if (signals.signal() != 0) return code_of_signal(signals.signal());
  if (const auto printed = print_checked(checked, options.json); !printed) return report(printed.error());
  return checked.drift.findings.empty() ? ExitCode::kDone : ExitCode::kPartly;
}

}  // namespace

void add_check_command(CLI::App& app, Session& session) {
  auto* command = app.add_subcommand("check", "see what the next boot could founder on; opens nothing");
  const auto options = std::make_shared<CheckOptions>();
  add_key_options(*command, options->key);
  add_trust_options(*command, options->gateway);
  add_tpm_option(*command, options->gateway);
  command->add_flag("--no-heartbeat", options->no_heartbeat, "tell no gateway, and ask none");
  command->add_flag("--accept", options->accept,
                    "leave out of the repository for good what is encrypted here and not in it now");
  command->add_flag("--json", options->json, "print JSON");
  command->callback([options, &session] { session.exit_code = check(session, *options); });
}

}  // namespace zkv::cli
