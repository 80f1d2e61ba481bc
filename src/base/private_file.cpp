// Permissions first, bytes then, both of the one file that was opened.
#include "base/private_file.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/file.h"

namespace zkv {

namespace {

constexpr mode_t kOthers = 077;

Result<> check_permissions(const FileDescriptor& file, const std::string& path, const std::string& what) {
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) return Error::system("looking at " + path, errno);
  if (!S_ISREG(info.st_mode)) return Error::invalid(path + " is not a file");
  if (info.st_uid != ::geteuid() && info.st_uid != 0) {
    return Error::denied(fmt::format("{} {} belongs to another user (uid {})", what, path, info.st_uid))
        .remedy(fmt::format("chown {} {}", ::geteuid(), path));
  }
  if ((info.st_mode & kOthers) != 0) {
    return Error::denied(fmt::format("{} {} can be read or written by others (mode {:04o})", what, path,
                                     info.st_mode & 07777U))
        .remedy(fmt::format("chmod 600 {}, and think about who may have read it", path));
  }
  return {};
}

}  // namespace

Result<SecretBytes> load_private_file(const std::filesystem::path& path, std::size_t size,
                                      const std::string& what) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file.is_open() && errno == ENOENT) return Error::not_found(path.string() + " does not exist");
  if (!file.is_open()) return Error::system("opening " + what + " " + path.string(), errno);
  ZKV_CHECK(check_permissions(file, path.string(), what));
  ZKV_TRY(SecretBytes secret, read_secret(file.get(), size, what + " " + path.string()));
  if (secret.size() == size) return secret;
  return Error::invalid(fmt::format("{} {} has {} bytes, not {}", what, path.string(), secret.size(), size))
      .remedy("put the right file back from the backup");
}

Result<SecretBytes> load_or_make_private_file(const std::filesystem::path& path, const SecretBytes& fresh,
                                              const std::string& what) {
  auto made = create_file(path, fresh.span(), 0600);
  if (!made && made.error().kind() != ErrorKind::kExists)
    return std::move(made).error().context("making " + what);
  return load_private_file(path, fresh.size(), what);
}

}  // namespace zkv
