// The program's own log, to stderr: with priorities for the journal, with times for a terminal or a file.
#pragma once

#include <string>

namespace zkv::cli {

/// `level` is a value of the setting log-level.
void set_up_log(const std::string& level);

}  // namespace zkv::cli
