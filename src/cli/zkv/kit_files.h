// A recovery kit as files that are to be printed.
#pragma once

#include <filesystem>
#include <vector>

#include "base/result.h"
#include "recovery/kit.h"

namespace zkv::cli {

/// Whether `output` is a folder, or a file that can be made; before there is a kit. Errors: kInvalid,
/// kExists.
Result<> check_kit_place(const std::filesystem::path& output);

/// Writes them, mode 0600, and gives their names; none stays when one cannot be written. Errors: kExists,
/// kIo.
Result<std::vector<std::filesystem::path>> write_kit_files(const recovery::Kit& kit,
                                                           const std::filesystem::path& output);

/// Says what to do with them. Errors: kIo.
Result<> tell_of_kit_files(const recovery::Kit& kit, const std::vector<std::filesystem::path>& files);

/// Whether what is written into that folder is gone with the power.
bool lies_in_memory(const std::filesystem::path& folder);

}  // namespace zkv::cli
