// `zkv doctor`: finds what will go wrong at the next boot, and says what mends it.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "base/plain_text.h"
#include "commands.h"
#include "doctor/checks.h"
#include "doctor/gather.h"
#include "fetch_options.h"
#include "host/drift_record.h"
#include "host/stop_on_signal.h"
#include "host/unlock_record.h"
#include "output.h"
#include "repository/repository.h"
#include "unlock/registry.h"

namespace zkv::cli {

namespace {

constexpr const char* kPage = "/usr/share/doc/zkv/doctor.md";

struct DoctorOptions {
  GatewayOptions gateway;
  std::filesystem::path root = "/";
  bool asks = false;
  bool json = false;
};

std::string_view word_of(doctor::Weight weight) { return weight == doctor::Weight::kMend ? "mend" : "note"; }

void print_findings(const doctor::Facts& facts, const std::vector<doctor::Finding>& findings, Output& out) {
  for (const auto& finding : findings) {
    const auto& [where, what, remedy] = finding.found;
    out << (finding.weight == doctor::Weight::kMend ? "MEND   " : "note   ") << plain_text(where) << ": "
        << plain_text(what) << "\n";
    if (!remedy.empty()) out << "       " << plain_text(remedy) << "\n";
    out << "       " << kPage << "#" << finding.slug << "\n";
  }
  for (const auto& unseen : facts.unseen) out << "unseen " << plain_text(unseen) << "\n";
  const auto checks = doctor::all_checks().size();
  if (findings.empty()) {
    out << fmt::format("good   {} checks found nothing to mend\n", checks);
  } else {
    const auto mend = std::ranges::count(findings, doctor::Weight::kMend, &doctor::Finding::weight);
    out << fmt::format("{} checks: {} to mend before the next boot, {} to note\n", checks, mend,
                       static_cast<std::ptrdiff_t>(findings.size()) - mend);
  }
  if (!facts.unseen.empty() && ::geteuid() != 0) {
    out << fmt::format("{} could not be looked at: say this as root\n", facts.unseen.size());
  }
}

void print_findings_json(const doctor::Facts& facts, const std::vector<doctor::Finding>& findings,
                         Output& out) {
  out << "{\"findings\":[";
  for (const auto& finding : findings) {
    if (&finding != &findings.front()) out << ",";
    out << "{\"id\":";
    out.json(finding.slug) << ",\"weight\":";
    out.json(word_of(finding.weight)) << ",\"where\":";
    out.json(plain_text(finding.found.where)) << ",\"what\":";
    out.json(plain_text(finding.found.what)) << ",\"remedy\":";
    out.json(plain_text(finding.found.remedy)) << ",\"page\":";
    out.json(std::string(kPage) + "#" + std::string(finding.slug)) << "}";
  }
  out << "],\"unseen\":[";
  for (const auto& unseen : facts.unseen) {
    if (&unseen != &facts.unseen.front()) out << ",";
    out.json(plain_text(unseen));
  }
  out << "]}\n";
}

/// Where no other is given, it is the one that the machine's own boot opens.
std::filesystem::path repository_to_look_at(const doctor::System& system, const Session& session) {
  const bool is_given =
      std::getenv("ZKV_REPOSITORY") != nullptr || session.repository != repository::default_path();
  if (!is_given) {
    if (auto named = doctor::repository_of_service(system); !named.empty()) return named;
  }
  const std::filesystem::path ours = "/var/lib/zkv/repository";
  std::error_code failed;
  const bool has_own = is_given || ::geteuid() == 0 || std::filesystem::exists(session.repository, failed);
  if (system.is_running()) return has_own ? std::filesystem::absolute(session.repository) : ours;
  if (is_given) return session.repository;
  return system.has(ours) ? ours : std::filesystem::path("/root/.zkv-repository");
}

ExitCode examine_machine(const Session& session, const DoctorOptions& options) {
  const doctor::System system(options.root.lexically_normal() / "");
  doctor::GatherOrder order;
  order.system = system;
  order.repository = repository_to_look_at(system, session);
  order.unlock_record = system.is_running() ? host::default_record_path() : "/var/lib/zkv/last-unlock.json";
  order.drift_record = system.is_running() ? host::default_drift_path() : "/var/lib/zkv/drift.json";
  order.tpm = options.gateway.tpm;
  order.asks = options.asks;
  order.exchange_with = [&](const auto& certificate) { return exchange_with(certificate, options.gateway); };
  const host::StopOnSignal signals;
  const auto facts = doctor::gather(order, unlock::all_unlockers({}), signals.token());
  if (signals.signal() != 0) return code_of_signal(signals.signal());
  const auto findings = doctor::examine(facts);
  Output out;
  if (options.json) {
    print_findings_json(facts, findings, out);
  } else {
    print_findings(facts, findings, out);
  }
  if (const auto written = out.write(); !written) return report(written.error());
  const bool all_is_well = std::ranges::none_of(
      findings, [](const doctor::Finding& finding) { return finding.weight == doctor::Weight::kMend; });
  return all_is_well ? ExitCode::kDone : ExitCode::kPartly;
}

}  // namespace

void add_doctor_command(CLI::App& app, Session& session) {
  auto* command = app.add_subcommand("doctor", "find what will go wrong at the next boot, and what mends it");
  const auto options = std::make_shared<DoctorOptions>();
  command->add_option("--root", options->root, "look at the machine whose root directory is mounted at DIR")
      ->type_name("DIR");
  command->add_flag("--ask", options->asks, "send each gateway a request too, and cancel it");
  command->add_flag("--json", options->json, "print JSON");
  add_trust_options(*command, options->gateway);
  add_tpm_option(*command, options->gateway);
  command->callback([options, &session] { session.exit_code = examine_machine(session, *options); });
}

}  // namespace zkv::cli
