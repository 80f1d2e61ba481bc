// What `mount` and `unmount` share.
#pragma once

#include <string>

#include "commands.h"
#include "unlock/zfs.h"

namespace zkv::cli {

/// Adds --via.
void add_via_option(CLI::App& command, std::string& via);
/// `via` is one of the words that add_via_option lets through.
unlock::ZfsOptions zfs_options(const std::string& via);

void add_unmount_command(CLI::App& app, Session& session);
void add_lock_command(CLI::App& app, Session& session);

}  // namespace zkv::cli
