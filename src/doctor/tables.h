// Texts of the system that only the doctor reads. Lines that are not understood are left out.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "doctor/facts.h"

namespace zkv::doctor {

/// All lines, with those of swap. Source: fstab(5).
std::vector<FstabEntry> parse_whole_fstab(std::string_view text);

/// Source: zfs-mount-generator(8), which reads twenty columns with tabs between them.
std::vector<CachedFilesystem> parse_zfs_list_cache(std::string_view text);

/// NAME=VALUE, as EnvironmentFile= takes it. Source: systemd.exec(5).
std::map<std::string, std::string, std::less<>> parse_environment_file(std::string_view text);

/// The first words of /proc/swaps. Source: proc(5).
std::vector<std::string> parse_swaps(std::string_view text);

}  // namespace zkv::doctor
