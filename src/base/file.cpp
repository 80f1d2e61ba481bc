// Atomic replacement and locks over plain POSIX calls.
#include "base/file.h"

#include <fcntl.h>
#include <sodium.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

namespace zkv {

namespace fs = std::filesystem;

namespace {

Error io(const std::string& doing, const fs::path& path) {
  const int failed = errno;
  auto error = Error::system(doing + " " + path.string(), failed);
  if (failed != EACCES || ::geteuid() == 0) return error;
  return std::move(error).remedy("say this as root");
}

/// Hands the rest of a file, of which `total` bytes are read already, to `sink` piece by piece.
template <class Sink>
Result<> read_to_end(int fd, std::size_t limit, const std::string& what, Sink&& sink, std::size_t total = 0) {
  std::array<std::uint8_t, 4096> chunk{};
  while (true) {
    const ssize_t got = ::read(fd, chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Error::system("reading " + what, errno);
    if (got == 0) break;
    total += static_cast<std::size_t>(got);
    if (total > limit) {
      sodium_memzero(chunk.data(), chunk.size());
      return Error::invalid(what + " is longer than " + std::to_string(limit) + " bytes");
    }
    sink(std::span<const std::uint8_t>(chunk.data(), static_cast<std::size_t>(got)));
  }
  sodium_memzero(chunk.data(), chunk.size());
  return {};
}

Result<FileDescriptor> open_regular(const fs::path& path) {
  FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd.is_open()) {
    if (errno == ENOENT) return Error::not_found(path.string() + " does not exist");
    return io("opening", path);
  }
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return io("looking at", path);
  if (S_ISDIR(info.st_mode)) return Error::invalid(path.string() + " is a directory, not a file");
  return fd;
}

/// In bytes; 0 where it cannot be told.
std::size_t size_of(int fd) {
  struct stat info {};
  return ::fstat(fd, &info) == 0 && info.st_size > 0 ? static_cast<std::size_t>(info.st_size) : 0;
}

/// Reads until `out` is full or the file ends; gives how much it read.
Result<std::size_t> read_some(int fd, std::span<std::uint8_t> out, const fs::path& path) {
  std::size_t total = 0;
  while (total < out.size()) {
    const ssize_t got = ::read(fd, out.data() + total, out.size() - total);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return io("reading", path);
    if (got == 0) break;
    total += static_cast<std::size_t>(got);
  }
  return total;
}

Result<> write_all(int fd, std::span<const std::uint8_t> bytes, const fs::path& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return io("writing", path);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return {};
}

Result<> sync_directory(const fs::path& directory) {
  FileDescriptor fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.is_open() || ::fsync(fd.get()) != 0) return io("syncing", directory);
  return {};
}

fs::path directory_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

constexpr std::size_t kRandomSize = 8;
constexpr std::string_view kTemporaryEnd = ".tmp";
constexpr std::size_t kSuffixSize = 2 * kRandomSize + kTemporaryEnd.size();

std::string random_suffix() {
  std::array<std::uint8_t, kRandomSize> bytes{};
  randombytes_buf(bytes.data(), bytes.size());
  return to_hex(bytes) + std::string(kTemporaryEnd);
}

/// Whether `name` is `before` and what random_suffix() makes.
bool is_temporary(std::string_view name, std::string_view before) {
  return name.size() == before.size() + kSuffixSize && name.starts_with(before) &&
         name.ends_with(kTemporaryEnd) &&
         name.substr(before.size(), 2 * kRandomSize).find_first_not_of("0123456789abcdef") ==
             std::string_view::npos;
}

/// Root who changes somebody's file leaves it theirs. Where root may not give files away (a unit without
/// CAP_CHOWN), the new file is root's, as before.
void keep_owner(int fd, const fs::path& target) {
  struct stat old {};
  if (::geteuid() != 0 || ::stat(target.c_str(), &old) != 0 || (old.st_uid == 0 && old.st_gid == 0)) return;
  static_cast<void>(::fchown(fd, old.st_uid, old.st_gid) == 0);
}

std::string temporary_prefix(const fs::path& target) { return "." + target.filename().string() + "."; }

/// A finished, synced temporary file beside its target; removed unless it was renamed.
class TemporaryFile {
 public:
  static Result<TemporaryFile> write(const fs::path& target, std::span<const std::uint8_t> contents,
                                     mode_t mode) {
    TemporaryFile file(directory_of(target) / (temporary_prefix(target) + random_suffix()));
    FileDescriptor fd(::open(file.path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
    if (!fd.is_open()) {
      auto error = io("creating", file.path_);
      file.path_.clear();
      return error;
    }
    keep_owner(fd.get(), target);
    if (::fchmod(fd.get(), mode) != 0) return io("setting the mode of", file.path_);
    ZKV_CHECK(write_all(fd.get(), contents, file.path_));
    if (::fsync(fd.get()) != 0) return io("syncing", file.path_);
    return file;
  }

  TemporaryFile(TemporaryFile&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  TemporaryFile& operator=(TemporaryFile&&) = delete;
  ~TemporaryFile() {
    if (!path_.empty()) ::unlink(path_.c_str());
  }

  [[nodiscard]] const fs::path& path() const { return path_; }

  Result<> rename_over(const fs::path& target) {
    if (::rename(path_.c_str(), target.c_str()) != 0) return io("replacing", target);
    path_.clear();
    return {};
  }

  Result<> link_as(const fs::path& target) {
    if (::link(path_.c_str(), target.c_str()) != 0) {
      if (errno == EEXIST) return Error::exists(target.string() + " exists already");
      return io("creating", target);
    }
    return sync_directory(directory_of(target));
  }

 private:
  explicit TemporaryFile(fs::path path) : path_(std::move(path)) {}
  fs::path path_;
};

fs::path resolve_link(const fs::path& path) {
  std::error_code error;
  return fs::is_symlink(path, error) ? fs::weakly_canonical(path) : path;
}

/// Keeps the file at `path` under the name `previous` too, without a moment in which `path` is missing.
Result<> keep_previous(const fs::path& path, const fs::path& previous) {
  const fs::path temporary = previous.string() + "." + random_suffix();
  if (::link(path.c_str(), temporary.c_str()) != 0) {
    if (errno == ENOENT) return {};
    return io("keeping the previous generation of", path);
  }
  if (::rename(temporary.c_str(), previous.c_str()) != 0) {
    auto error = io("keeping the previous generation as", previous);
    ::unlink(temporary.c_str());
    return error;
  }
  // POSIX: renaming one name of a file over another name of the same file does nothing, and leaves both.
  ::unlink(temporary.c_str());
  return {};
}

}  // namespace

FileDescriptor::FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

FileDescriptor& FileDescriptor::operator=(FileDescriptor&& other) noexcept {
  if (this != &other) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

FileDescriptor::~FileDescriptor() {
  if (fd_ >= 0) ::close(fd_);
}

Result<Bytes> read_file(const fs::path& path, std::size_t limit) {
  ZKV_TRY(auto fd, open_regular(path));
  Bytes bytes(std::min(size_of(fd.get()), limit));
  ZKV_TRY(const std::size_t size, read_some(fd.get(), bytes, path));
  bytes.resize(size);
  const auto append = [&](auto chunk) { bytes.insert(bytes.end(), chunk.begin(), chunk.end()); };
  ZKV_CHECK(read_to_end(fd.get(), limit, path.string(), append, size));
  return bytes;
}

Result<SecretBytes> read_secret_file(const fs::path& path, std::size_t limit) {
  ZKV_TRY(auto fd, open_regular(path));
  return read_secret(fd.get(), limit, path.string());
}

Result<SecretBytes> read_secret(int fd, std::size_t limit, const std::string& what) {
  SecretBuilder builder;
  ZKV_CHECK(
      read_to_end(fd, limit, what, [&](std::span<const std::uint8_t> chunk) { builder.append(chunk); }));
  return builder.take();
}

Result<> replace_file(const fs::path& path, std::span<const std::uint8_t> contents,
                      const ReplaceOptions& options) {
  const fs::path target = options.follows_link ? resolve_link(path) : path;
  ZKV_TRY(auto temporary, TemporaryFile::write(target, contents, options.mode));
  if (options.previous) ZKV_CHECK(keep_previous(target, *options.previous));
  ZKV_CHECK(temporary.rename_over(target));
  return options.is_kept_at_once ? sync_directory(directory_of(target)) : Result<>();
}

void remove_leftovers(const fs::path& path) {
  const fs::path target = resolve_link(path);
  const std::array<std::string, 2> makers{temporary_prefix(target),
                                          target.filename().string() + ".previous."};
  std::error_code failed;
  for (fs::directory_iterator entry(directory_of(target), failed), end; !failed && entry != end;
       entry.increment(failed)) {
    const auto name = entry->path().filename().string();
    const bool is_left = std::any_of(makers.begin(), makers.end(),
                                     [&](const auto& before) { return is_temporary(name, before); });
    if (is_left) ::unlink(entry->path().c_str());
  }
}

Result<> create_file(const fs::path& path, std::span<const std::uint8_t> contents, mode_t mode) {
  ZKV_TRY(auto temporary, TemporaryFile::write(path, contents, mode));
  return temporary.link_as(path);
}

namespace {

/// Whether it was had; `operation` as for flock(2).
Result<bool> lock(FileDescriptor& fd, int operation, const fs::path& path) {
  const fs::path lock_path = path.string() + ".lock";
  fd = FileDescriptor(::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd.is_open() && errno == ENOENT) {
    return io("opening the lock", lock_path)
        .remedy("make the folder first: mkdir -p " + directory_of(path).string());
  }
  if (!fd.is_open()) return io("opening the lock", lock_path);
  while (::flock(fd.get(), operation) != 0) {
    if (errno == EWOULDBLOCK) return false;
    if (errno != EINTR) return io("locking", lock_path);
  }
  return true;
}

}  // namespace

Result<FileLock> FileLock::acquire(const fs::path& path) {
  FileDescriptor fd;
  ZKV_CHECK(lock(fd, LOCK_EX, path));
  return FileLock(std::move(fd));
}

Result<std::optional<FileLock>> FileLock::try_acquire(const fs::path& path) {
  FileDescriptor fd;
  ZKV_TRY(const bool is_had, lock(fd, LOCK_EX | LOCK_NB, path));
  return is_had ? std::optional(FileLock(std::move(fd))) : std::nullopt;
}

}  // namespace zkv
