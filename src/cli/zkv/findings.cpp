// Lines for people, JSON for programs.
#include "findings.h"

#include <iterator>
#include <utility>

#include "doctor/gather.h"
#include "host/mount_trouble.h"

namespace zkv::cli {

std::vector<host::Finding> mount_findings(const host::DriftRecord& record, const host::Unlockers& unlockers) {
  const auto last = host::read_record(host::default_record_path()).value_or(host::UnlockRecord());
  auto findings = host::find_left_over(last, record, unlockers);
  auto by_fstab = host::find_unmountable(record, unlockers);
  std::move(by_fstab.begin(), by_fstab.end(), std::back_inserter(findings));
  return findings;
}

std::vector<host::Finding> initramfs_findings(const std::filesystem::path& repository) {
  std::vector<host::Finding> findings;
  for (auto& found : doctor::look_for_old_initramfses(doctor::System(), repository)) {
    findings.push_back({std::move(found.where), std::move(found.what), std::move(found.remedy)});
  }
  return findings;
}

std::vector<host::Finding> enrolment_findings(const std::filesystem::path& repository,
                                              const std::vector<host::Enrolment>& enrolments) {
  const auto description = repository::describe(repository);
  if (!description) return {};
  return host::enrolment_findings(*description, enrolments, repository.string());
}

void print_findings(const std::vector<host::Finding>& findings, Output& output) {
  for (const auto& finding : findings) {
    output << "- " << finding.text() << "\n";
    if (!finding.remedy.empty()) output << "    " << finding.remedy << "\n";
  }
}

void print_json(const host::Drift& drift, Output& output) {
  output << "\"findings\":[";
  for (const auto& finding : drift.findings) {
    if (&finding != &drift.findings.front()) output << ",";
    output << "{\"about\":";
    output.json(finding.about) << ",\"what\":";
    output.json(finding.what) << ",\"remedy\":";
    output.json(finding.remedy) << "}";
  }
  output << "],\"notes\":[";
  for (const auto& note : drift.notes) {
    if (&note != &drift.notes.front()) output << ",";
    output.json(note);
  }
  output << "]";
}

}  // namespace zkv::cli
