// Who can change what a dm-crypt volume lies on. Who can write an image knows its key as a rule, and would be
// root by a program on it.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"
#include "unlock/crypt.h"

namespace zkv::unlock {

/// Whether only root can change what the block device `node` (the kernel's name, as in "dm-0") shows: each
/// file behind a loop device that it is, or lies on at any depth, as the kernel calls that file at this
/// moment. `blocks` is /sys/class/block. Errors: those of check_guarded_file(), also for a file that was
/// moved or deleted; kDenied where the kernel does not say which file it is.
Result<> check_files_below(const std::string& node, const std::filesystem::path& blocks);

/// Whether only root can choose and change what `device`, named as find_device() takes it, leads to. What is
/// not there is whoever's puts it there, but in `devices` (/dev). Errors: those of check_guarded_file().
Result<> check_name_of_device(const std::string& device, const std::filesystem::path& devices);

/// Both, of a volume with that device that lies on `node`, or is to lie on it.
bool is_of_others(const std::string& device, const std::string& node, const CryptOptions& options);

}  // namespace zkv::unlock
