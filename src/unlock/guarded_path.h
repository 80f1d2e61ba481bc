// Places that nobody but root, and whoever runs zkv, can put anything into.
#pragma once

#include <filesystem>

#include "base/file.h"
#include "base/result.h"

namespace zkv::unlock {

/// Opens the directory of that whole path, link by link from the root on. Each directory on the way belongs
/// to root or to this user, and nobody else can write it; one with the sticky bit passes, since what is in it
/// stays its owner's, but not as the last. Symbolic links are refused. With `makes_missing`, what is not
/// there is made, mode 0755, as soon as it lies on a filesystem in memory. Errors: kInvalid (no whole and
/// plain path, a link), kNotFound, kDenied (others can write there), kIo.
Result<FileDescriptor> open_guarded_directory(const std::filesystem::path& path, bool makes_missing = false);

struct GuardedDirectory {
  std::filesystem::path path;
  FileDescriptor fd;
};
/// Opens that directory, or the nearest above it that is there. Errors: as open_guarded_directory(), without
/// kNotFound.
Result<GuardedDirectory> open_nearest_guarded(const std::filesystem::path& path);

/// Whether nobody else can choose what that whole path leads to: each directory above its last name, and
/// above each link on the way, is as open_guarded_directory() wants it, as far as it is there. The last name
/// itself may belong to anybody, and links that only root can change are followed. Errors: kInvalid, kDenied,
/// kIo.
Result<> check_guarded_way(const std::filesystem::path& path);

/// Whether the program of that path is a file that can be run and that, like all directories above it, nobody
/// else can replace or write. Errors: as open_guarded_directory().
Result<> check_guarded_program(const std::filesystem::path& path);

/// Whether nobody else can replace or write the file that this whole path leads to. Errors: as
/// check_guarded_way(); kNotFound.
Result<> check_guarded_file(const std::filesystem::path& path);

/// Whether that directory or file lies on a tmpfs or ramfs.
bool is_in_memory(int fd);

}  // namespace zkv::unlock
