// Taking a recovery kit from a person, row by row, or from files.
#pragma once

#include <string>
#include <vector>

#include "commands.h"

namespace zkv::cli {

struct KitOptions {
  std::vector<std::string> files;  ///< of parts, or of a key; "-" is standard input
  bool echo = false;               ///< show what is typed
};

/// Adds --key-file, which may be given several times, and --echo.
void add_kit_options(CLI::App& command, KitOptions& options);

/// The key of a recovery slot, by the words of a kit or as it is. Errors: kInvalid, kNotFound, kCorrupt, kIo.
Result<SecretBytes> read_recovery_key(Session& session, const KitOptions& options);

}  // namespace zkv::cli
