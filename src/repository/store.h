// The file behind a repository: where it really is, its lock, its bytes, and what a killed writer left.
#pragma once

#include <filesystem>
#include <optional>
#include <span>

#include "base/encoding.h"
#include "base/file.h"
#include "base/result.h"

namespace zkv::repository {

/// The machine's own repository.
inline constexpr const char* kSystemPlace = "/var/lib/zkv/repository";

/// No repository is larger; a larger file is not read.
inline constexpr std::size_t kLargestFile = std::size_t{16} * 1024 * 1024;

/// `path` with a final symbolic link followed, so that lock, previous generation and notes lie where the file
/// itself lies.
std::filesystem::path real_path(const std::filesystem::path& path);

/// The generation before the one at `path`, a path as real_path() gives it.
std::filesystem::path previous_of(const std::filesystem::path& path);
/// The command by which that takes the place of the one at `path`.
std::string put_back(const std::filesystem::path& path);

/// Errors: kNotFound (with what to do), kInvalid, kIo.
Result<Bytes> read_bytes(const std::filesystem::path& path);

/// Keeps what `file` holds beside the repository at `path`, as PATH.replaced-WORD, a word that is made of
/// what it holds: PATH.previous goes with the next change, this stays. Gives where; nothing where there is no
/// such file. Errors: kInvalid, kIo.
Result<std::optional<std::filesystem::path>> keep_replaced(const std::filesystem::path& file,
                                                           const std::filesystem::path& path);

/// The only right to write; temporary files that a killed writer left are removed on the way.
class WriteLock {
 public:
  /// Waits for the lock. Errors: kIo.
  static Result<WriteLock> acquire(const std::filesystem::path& path);

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  /// Replaces the file; the old one stays as PATH.previous. Errors: kIo.
  Result<> replace(std::span<const std::uint8_t> file) const;

 private:
  WriteLock(std::filesystem::path path, FileLock lock) : path_(std::move(path)), lock_(std::move(lock)) {}
  std::filesystem::path path_;
  FileLock lock_;
};

/// A repository that is there, read under its lock.
struct LockedFile {
  WriteLock lock;
  Bytes file;
};
/// Errors: kNotFound (and no lock is left behind), kInvalid, kIo.
Result<LockedFile> lock_and_read(const std::filesystem::path& path);

}  // namespace zkv::repository
