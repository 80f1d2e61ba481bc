// Settings as flags, and reading them for a command.
#pragma once

#include <string>
#include <vector>

#include "commands.h"

namespace zkv::cli {

/// Adds --config and a flag for each of these settings; all of the table when `names` is empty.
void add_settings_flags(CLI::App& command, Session& session, const std::vector<std::string>& names = {});

/// Reads the settings, printing warnings and problems. Errors: kInvalid when there is any problem.
Result<gateway::Settings> load_settings_or_report(const Session& session);

/// For commands that only look, so that a misspelt directory does not become a new vault. Errors: kNotFound.
Result<> need_database(const gateway::Settings& settings);

/// Makes the data directory (0700), if it is not there. A root's command then goes on as the directory's
/// owner, so that no file in it becomes unreadable for the daemon.
Result<> enter_data_directory(const gateway::Settings& settings);

}  // namespace zkv::cli
