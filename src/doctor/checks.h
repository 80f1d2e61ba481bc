// The table of checks: one line each, one function each. Pure: facts in, findings out.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "doctor/facts.h"
#include "doctor/finding.h"

namespace zkv::doctor {

struct Check {
  std::string_view slug;  ///< has a section of its own in docs/doctor.md
  Weight weight;
  std::vector<Found> (*look)(const Facts& facts);
};

std::span<const Check> all_checks();

/// What all checks find, in the order of the table.
std::vector<Finding> examine(const Facts& facts);

}  // namespace zkv::doctor
