// Small files and folders of sysfs.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace zkv::unlock {

/// Empty where there is no such file.
std::string first_line(const std::filesystem::path& path);
/// Sorted; none where there is no such folder.
std::vector<std::string> names_in(const std::filesystem::path& directory);

}  // namespace zkv::unlock
