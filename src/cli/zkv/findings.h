// How `zkv check` and `zkv drill` tell what they found.
#pragma once

#include <vector>

#include "host/drift.h"
#include "output.h"

namespace zkv::cli {

/// "- ABOUT: WHAT" and its remedy in a line of its own, each.
void print_findings(const std::vector<host::Finding>& findings, Output& output);
/// The members "findings" and "notes" of a JSON object.
void print_json(const host::Drift& drift, Output& output);

}  // namespace zkv::cli
