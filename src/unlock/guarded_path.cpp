// openat, one name after the other, and never through a link.
#include "unlock/guarded_path.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <optional>

#include "unlock/mount_table.h"

namespace zkv::unlock {

namespace fs = std::filesystem;

namespace {

constexpr mode_t kOthersCanWrite = S_IWGRP | S_IWOTH;
constexpr mode_t kMadeDirectory = 0755;

bool is_ours(const struct stat& info) { return info.st_uid == 0 || info.st_uid == ::geteuid(); }

Error others_can(const fs::path& path, const struct stat& info) {
  if (!is_ours(info)) {
    return Error::denied(path.string() + " belongs to another user")
        .remedy(
            "choose a path below directories of root, such as /run or /srv; or, if that directory is to be "
            "root's: "
            "chown root " +
            path.string());
  }
  return Error::denied("others than its owner can write " + path.string())
      .remedy(
          "choose a path below directories that only root can write, such as /run or /srv; or, if nobody "
          "else is to "
          "write there: chmod go-w " +
          path.string());
}

Error is_link(const fs::path& path) {
  std::error_code failed;
  const auto real = fs::canonical(path, failed);
  auto error = Error::invalid(path.string() + " is a symbolic link");
  return failed ? std::move(error) : std::move(error).remedy("name what it leads to: " + real.string());
}

/// After a call that failed.
Error cannot_enter(const fs::path& path) {
  const int failed = errno;
  struct stat info {};
  if (::lstat(path.c_str(), &info) == 0 && S_ISLNK(info.st_mode)) return is_link(path);
  if (failed == ENOENT) return Error::not_found(path.string() + " is not there");
  return Error::system("opening " + path.string(), failed);
}

Result<> check_plain(const fs::path& path) {
  const bool ends_well = path.has_filename() || path == path.root_path();
  if (path.is_absolute() && ends_well && path == path.lexically_normal()) return {};
  return Error::invalid("'" + path.string() + "' is no whole path without dots and doubled slashes");
}

FileDescriptor open_directory(int parent, const fs::path& name) {
  return FileDescriptor(::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

/// Whatever the umask is: who is to read what lies in it must pass through.
Result<FileDescriptor> make_directory(int parent, const fs::path& name, const fs::path& path) {
  if (::mkdirat(parent, name.c_str(), 0700) != 0 && errno != EEXIST) {
    return Error::system("making " + path.string(), errno);
  }
  FileDescriptor made = open_directory(parent, name);
  if (made.is_open() && ::fchmod(made.get(), kMadeDirectory) != 0) {
    return Error::system("making " + path.string(), errno);
  }
  return made;
}

Result<> check_directory(int fd, const fs::path& path, bool is_last) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) return Error::system("looking at " + path.string(), errno);
  const bool is_sticky = (info.st_mode & S_ISVTX) != 0 && !is_last;
  if (!is_ours(info) || ((info.st_mode & kOthersCanWrite) != 0 && !is_sticky)) return others_can(path, info);
  return {};
}

std::optional<fs::path> first_link(const fs::path& path) {
  fs::path so_far;
  std::error_code failed;
  for (const auto& name : path) {
    so_far /= name;
    if (fs::is_symlink(fs::symlink_status(so_far, failed))) return so_far;
  }
  return std::nullopt;
}

}  // namespace

bool is_in_memory(int fd) {
  struct statfs info {};
  return ::fstatfs(fd, &info) == 0 && (info.f_type == TMPFS_MAGIC || info.f_type == RAMFS_MAGIC);
}

Result<FileDescriptor> open_guarded_directory(const fs::path& path, bool makes_missing) {
  ZKV_CHECK(check_plain(path));
  fs::path so_far = "/";
  FileDescriptor here = open_directory(AT_FDCWD, so_far);
  ZKV_CHECK(check_directory(here.get(), so_far, path == so_far));
  for (const auto& name : path.relative_path()) {
    if (name.empty()) continue;
    so_far /= name;
    FileDescriptor next = open_directory(here.get(), name);
    if (!next.is_open() && errno == ENOENT && makes_missing && is_in_memory(here.get())) {
      ZKV_TRY(next, make_directory(here.get(), name, so_far));
    }
    if (!next.is_open()) return cannot_enter(so_far);
    ZKV_CHECK(check_directory(next.get(), so_far, so_far == path));
    here = std::move(next);
  }
  return here;
}

Result<GuardedDirectory> open_nearest_guarded(const fs::path& directory) {
  for (fs::path path = directory;; path = path.parent_path()) {
    auto opened = open_guarded_directory(path);
    if (opened) return GuardedDirectory{path, std::move(*opened)};
    const bool is_missing = opened.error().kind() == ErrorKind::kNotFound && path.has_relative_path();
    if (!is_missing) return tl::unexpected(opened.error());
  }
}

Result<> check_guarded_way(const fs::path& path) {
  static constexpr int kMostLinks = 40;  // as many as Linux follows
  fs::path way = clean_path(path);
  for (int links = 0; links < kMostLinks; ++links) {
    const auto link = first_link(way);
    ZKV_CHECK(open_nearest_guarded(link.value_or(way).parent_path()));
    if (!link) return {};
    std::error_code failed;
    const auto target = fs::read_symlink(*link, failed);
    if (failed) return Error::system("following " + link->string(), failed.value());
    way = clean_path(link->parent_path() / target / way.lexically_relative(*link));
  }
  return Error::invalid(path.string() + " leads through too many links");
}

Result<> check_guarded_file(const fs::path& path) {
  ZKV_CHECK(check_guarded_way(path));
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return cannot_enter(path);
  if (!is_ours(info) || (info.st_mode & kOthersCanWrite) != 0) return others_can(path, info);
  return {};
}

Result<> check_guarded_program(const fs::path& path) {
  ZKV_CHECK(check_plain(path));
  const auto directory = open_guarded_directory(path.parent_path());
  if (!directory && directory.error().kind() == ErrorKind::kNotFound) {
    return Error::not_found(path.string() + " is not there");
  }
  if (!directory) return tl::unexpected(directory.error());
  struct stat info {};
  if (::fstatat(directory->get(), path.filename().c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
    return cannot_enter(path);
  }
  if (S_ISLNK(info.st_mode)) return is_link(path);
  if (!S_ISREG(info.st_mode)) return Error::invalid(path.string() + " is no file");
  if (!is_ours(info) || (info.st_mode & kOthersCanWrite) != 0) return others_can(path, info);
  if ((info.st_mode & S_IXUSR) != 0) return {};
  return Error::invalid(path.string() + " is not executable").remedy("chmod +x " + path.string());
}

}  // namespace zkv::unlock
