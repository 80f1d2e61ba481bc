// The parts of gather() that have a file of their own; each enters what it finds into `facts`.
#pragma once

#include <stop_token>

#include "doctor/gather.h"

namespace zkv::doctor {

/// Where the repository's file is for this process.
std::filesystem::path repository_file(const GatherOrder& order);

void gather_repository(const GatherOrder& order, Facts& facts);
/// After the repository, whose enrolments name volumes.
void gather_volumes(const GatherOrder& order, const host::Unlockers& unlockers, Facts& facts);
/// Whether that block device of /sys is a mapping of dm-crypt.
bool is_mapping_of_crypt(const System& system, const std::string& folder);
void gather_files(const GatherOrder& order, Facts& facts);
/// What initramfses ask with, and when they were made.
void gather_early(const GatherOrder& order, Facts& facts);
/// Looks through a few directories, so deep and so far and no further. After the repository.
void gather_leftovers(const System& system, Facts& facts);
/// Speaks to each gateway once. After the repository.
void gather_gateways(const GatherOrder& order, Facts& facts, const std::stop_token& stop);

}  // namespace zkv::doctor
