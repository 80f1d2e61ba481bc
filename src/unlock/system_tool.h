// The system's own programs and tables, for those who mount.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"

namespace zkv::unlock {

/// The text of a table such as fstab. Errors: those of read_file().
Result<std::string> read_system_table(const std::filesystem::path& path);

/// Runs one of the system's programs, and gives what it prints. Errors: kNotFound (no such program), kIo with
/// its complaint (it ended neither with 0 nor with `also_good`), kUnavailable (not within `limit`).
Result<std::string> run_tool(const std::string& name, std::vector<std::string> words, int also_good = 0,
                             std::chrono::milliseconds limit = std::chrono::minutes(5));

}  // namespace zkv::unlock
