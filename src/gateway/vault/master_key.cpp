// The master key's file: who may read it, and its first making.
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fcntl.h>

#include <cerrno>

#include "base/file.h"
#include "crypto/random.h"
#include "gateway/vault/embedded.h"

namespace zkv::gateway {

namespace {

constexpr std::size_t kMasterKeySize = 32;
constexpr mode_t kOthers = 077;

Result<> check_permissions(const FileDescriptor& file, const std::string& path) {
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) return Error::system("looking at " + path, errno);
  if (!S_ISREG(info.st_mode)) return Error::invalid(path + " is not a file");
  if (info.st_uid != ::geteuid() && info.st_uid != 0) {
    return Error::denied(fmt::format("the master key {} belongs to another user (uid {})", path, info.st_uid))
        .remedy(fmt::format("chown {} {}", ::geteuid(), path));
  }
  if ((info.st_mode & kOthers) != 0) {
    return Error::denied(fmt::format("the master key {} can be read or written by others (mode {:04o})", path,
                                     info.st_mode & 07777U))
        .remedy(fmt::format("chmod 600 {}, and think about who may have read it", path));
  }
  return {};
}

}  // namespace

Result<SecretBytes> load_master_key(const std::filesystem::path& path) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file.is_open() && errno == ENOENT) return Error::not_found(path.string() + " does not exist");
  if (!file.is_open()) return Error::system("opening the master key " + path.string(), errno);
  ZKV_CHECK(check_permissions(file, path.string()));
  ZKV_TRY(SecretBytes key, read_secret(file.get(), kMasterKeySize, "the master key " + path.string()));
  if (key.size() != kMasterKeySize) {
    return Error::invalid(fmt::format("the master key {} has {} bytes, not {}", path.string(), key.size(),
                                      kMasterKeySize))
        .remedy("put the right file back from the backup");
  }
  return key;
}

Result<SecretBytes> make_master_key(const std::filesystem::path& path) {
  const SecretBytes fresh = crypto::random_secret(kMasterKeySize);
  auto made = create_file(path, fresh.span(), 0600);
  if (!made && made.error().kind() != ErrorKind::kExists) {
    return std::move(made).error().context("making the master key");
  }
  return load_master_key(path);
}

}  // namespace zkv::gateway
