// How `zkv check` and `zkv drill` tell what they found.
#pragma once

#include <filesystem>
#include <vector>

#include "host/drift.h"
#include "output.h"

namespace zkv::cli {

/// What the last opening left unmounted, and what the next one will. `record` names the volumes.
std::vector<host::Finding> mount_findings(const host::DriftRecord& record, const host::Unlockers& unlockers);
/// Where the root is asked for with an older copy of the repository.
std::vector<host::Finding> initramfs_findings(const std::filesystem::path& repository);

/// Between the repository and the gateways that this host asks: shares that open nothing, and slots whose
/// gateway is not asked.
std::vector<host::Finding> enrolment_findings(const std::filesystem::path& repository,
                                              const std::vector<host::Enrolment>& enrolments);

/// "- ABOUT: WHAT" and its remedy in a line of its own, each.
void print_findings(const std::vector<host::Finding>& findings, Output& output);
/// The members "findings" and "notes" of a JSON object.
void print_json(const host::Drift& drift, Output& output);

}  // namespace zkv::cli
