// The parts of `zkv volume`.
#pragma once

#include "commands.h"

namespace zkv::cli {

/// Adds list, show and test.
void add_volume_views(CLI::App& volume, Session& session);
/// Adds adopt.
void add_volume_adopt(CLI::App& volume, Session& session);
/// Adds create.
void add_volume_create(CLI::App& volume, Session& session);
/// Adds rename.
void add_volume_rename(CLI::App& volume, Session& session);

}  // namespace zkv::cli
