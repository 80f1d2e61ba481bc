// Files that are never seen half-written: reading with a limit, atomic replacement, locks.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "base/encoding.h"
#include "base/result.h"
#include "base/secret_bytes.h"

namespace zkv {

/// Owns one file descriptor.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept;
  FileDescriptor& operator=(FileDescriptor&& other) noexcept;
  ~FileDescriptor();
  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool is_open() const { return fd_ >= 0; }
  /// Hands the descriptor over to the caller, who closes it.
  [[nodiscard]] int release() { return std::exchange(fd_, -1); }

 private:
  int fd_ = -1;
};

/// Reads a whole file of at most `limit` bytes.
/// Errors: kNotFound, kInvalid (longer than `limit`, or not a regular file), kIo.
Result<Bytes> read_file(const std::filesystem::path& path, std::size_t limit);
/// The same into secret memory. `fd` is read to its end; the caller keeps it.
Result<SecretBytes> read_secret_file(const std::filesystem::path& path, std::size_t limit);
Result<SecretBytes> read_secret(int fd, std::size_t limit, const std::string& what);

struct ReplaceOptions {
  mode_t mode = 0600;                             ///< permissions of the new file
  std::optional<std::filesystem::path> previous;  ///< where the replaced file is kept, in the same directory
  /// Else a power cut within the next seconds may bring the old file back, whole: for what is worth keeping,
  /// and nobody relies on.
  bool is_kept_at_once = true;
  /// Else a link at `path` is itself replaced: for what has no business elsewhere, in a directory that may be
  /// another user's.
  bool follows_link = true;
};

/// Replaces `path` by `contents` so that at every moment, even through a power cut, `path` is the whole old
/// or the whole new file: temporary file in the same directory, fsync, rename, fsync of the directory. A
/// symbolic link is followed, so that the file it names is replaced, unless told otherwise. A file that root
/// replaces stays its owner's. Errors: kIo; the old file is then intact and the temporary gone.
Result<> replace_file(const std::filesystem::path& path, std::span<const std::uint8_t> contents,
                      const ReplaceOptions& options = {});

/// As replace_file, but an existing `path` is left alone: kExists.
Result<> create_file(const std::filesystem::path& path, std::span<const std::uint8_t> contents,
                     mode_t mode = 0600);

/// Removes what earlier calls of replace_file() for `path` left beside it when they were cut off. Only for
/// who holds a lock that all of them take: what another is just making is removed, too.
void remove_leftovers(const std::filesystem::path& path);

/// An exclusive advisory lock (flock) on `path` + ".lock"; held as long as this lives.
class FileLock {
 public:
  /// Waits until the lock is had. Errors: kIo.
  static Result<FileLock> acquire(const std::filesystem::path& path);
  /// Does not wait: nothing where somebody else holds it. Errors: kIo.
  static Result<std::optional<FileLock>> try_acquire(const std::filesystem::path& path);

 private:
  explicit FileLock(FileDescriptor fd) : fd_(std::move(fd)) {}
  FileDescriptor fd_;
};

}  // namespace zkv
