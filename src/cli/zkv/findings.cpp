// Lines for people, JSON for programs.
#include "findings.h"

namespace zkv::cli {

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
