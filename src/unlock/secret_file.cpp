// All by descriptors of a directory that only root can write, so that no name can be swapped on the way.
#include "unlock/secret_file.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <optional>

#include "base/file.h"
#include "base/plain_text.h"
#include "crypto/random.h"
#include "unlock/guarded_path.h"
#include "unlock/option_words.h"
#include "unlock/service_manager.h"

namespace zkv::unlock {

namespace fs = std::filesystem;

namespace {

constexpr mode_t kMostMode = 0660;
constexpr mode_t kModeBits = 07777;

template <class Number>
std::optional<Number> number_in(std::string_view text, int base) {
  Number number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (failed != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return number;
}

Result<> take_owner(std::string_view name, SecretPlace& place) {
  if (const auto number = number_in<uid_t>(name, 10)) {
    place.owner = *number;
    return {};
  }
  const passwd* user = ::getpwnam(std::string(name).c_str());
  if (user == nullptr) return Error::not_found("there is no user '" + std::string(name) + "'");
  place.owner = user->pw_uid;
  return {};
}

Result<> take_group(std::string_view name, SecretPlace& place) {
  if (const auto number = number_in<gid_t>(name, 10)) {
    place.group = *number;
    return {};
  }
  const group* found = ::getgrnam(std::string(name).c_str());
  if (found == nullptr) return Error::not_found("there is no group '" + std::string(name) + "'");
  place.group = found->gr_gid;
  return {};
}

Result<> take_mode(std::string_view text, SecretPlace& place) {
  const auto mode = number_in<mode_t>(text, 8);
  if (!mode || (*mode & ~kMostMode) != 0 || (*mode & S_IRUSR) == 0) {
    return Error::invalid("mode= wants an octal number such as 0400 or 0440, with nothing for everybody");
  }
  place.mode = *mode;
  return {};
}

Result<> take_word(std::string_view word, SecretPlace& place) {
  const auto value = word.substr(std::min(word.find('='), word.size() - 1) + 1);
  if (word.starts_with("owner=")) return take_owner(value, place);
  if (word.starts_with("group=")) return take_group(value, place);
  if (word.starts_with("mode=")) return take_mode(value, place);
  return Error::invalid("the option '" + std::string(word) + "' is not known")
      .remedy("known are owner=USER, group=GROUP, mode=OCTAL");
}

Error on_a_disk(const fs::path& path) {
  return Error::unsupported(path.string() + " does not lie in memory (tmpfs or ramfs)")
      .remedy("choose a path under /run");
}

Result<FileDescriptor> open_place(const SecretPlace& place, bool makes_missing) {
  ZKV_TRY(auto directory, open_guarded_directory(place.path.parent_path(), makes_missing));
  if (!is_in_memory(directory.get())) return on_a_disk(place.path.parent_path());
  return directory;
}

bool is_own_file(const struct stat& info, const SecretPlace& place) {
  return S_ISREG(info.st_mode) && info.st_nlink == 1 && info.st_uid == place.owner &&
         info.st_gid == place.group && (info.st_mode & kModeBits) == place.mode;
}

/// The secret's file, opened; a closed one when there is none. Errors: kExists.
Result<FileDescriptor> open_secret(const SecretPlace& place, int directory, int flags) {
  FileDescriptor file(
      ::openat(directory, place.path.filename().c_str(), flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!file.is_open() && errno == ENOENT) return file;
  struct stat info {};
  const bool is_own = file.is_open() && ::fstat(file.get(), &info) == 0 && is_own_file(info, place);
  if (is_own) return file;
  return Error::exists("something else is at " + place.path.string() +
                       ": no file, or of another owner or mode")
      .remedy("see what it is (ls -l " + place.path.string() + "), and remove it if nobody needs it");
}

Result<> write_all(int fd, std::span<const std::uint8_t> bytes, const fs::path& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return Error::system("writing " + path.string(), errno);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return {};
}

std::string random_name() {
  std::array<std::uint8_t, 8> bytes{};
  crypto::fill_random(bytes);
  return to_hex(bytes);
}

/// The unit in which zkv runs at boot has no right to give files away; systemd has.
Result<> give_by_service(const fs::path& file, const std::string& whose) {
  const TransientService service{
      "zkv-secret-" + random_name(), "Owner of " + file.string(),
      Command{"/bin/chown", {"--no-dereference", whose, "--", file.string()}, {}, std::chrono::seconds(20)}};
  ZKV_TRY(const auto finished, run_as_service(service, kServiceManager));
  if (finished.exit_code == 0) return {};
  return Error::io("setting the owner of " + file.string() + ": " + plain_text(finished.errors));
}

Result<> give(int fd, const fs::path& file, const SecretPlace& place) {
  if (place.owner == ::geteuid() && place.group == ::getegid()) return {};
  if (::fchown(fd, place.owner, place.group) == 0) return {};
  if (errno == EPERM && can_use_manager(kServiceManager)) {
    return give_by_service(file, std::to_string(place.owner) + ":" + std::to_string(place.group));
  }
  return Error::system("setting the owner of " + place.path.string(), errno);
}

/// A file that has its final owner and mode before its first byte.
Result<> fill(int fd, const fs::path& file, const SecretPlace& place, std::span<const std::uint8_t> secret) {
  if (::fchmod(fd, place.mode) != 0)
    return Error::system("setting the mode of " + place.path.string(), errno);
  ZKV_CHECK(give(fd, file, place));
  return write_all(fd, secret, place.path);
}

/// How the name of a file begins in which a secret is written; the writer's process follows, and digits.
std::string temporary_of(const std::string& name) { return "." + name + ".tmp."; }

/// The process that wrote a file of that name; 0 where it is no such file.
pid_t writer_of(std::string_view name, std::string_view beginning) {
  if (!name.starts_with(beginning)) return 0;
  const auto rest = name.substr(beginning.size());
  const auto dot = rest.find('.');
  if (dot == std::string_view::npos || rest.find('.', dot + 1) != std::string_view::npos) return 0;
  return number_in<pid_t>(rest.substr(0, dot), 10).value_or(0);
}

/// Overwrites the file, opened for writing, and takes it out of its directory.
Result<> wipe_and_unlink(int directory, const std::string& name, int fd, const fs::path& path) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) return Error::system("looking at " + path.string(), errno);
  const std::vector<std::uint8_t> zeros(static_cast<std::size_t>(info.st_size));
  ZKV_CHECK(write_all(fd, zeros, path));
  if (::unlinkat(directory, name.c_str(), 0) != 0) return Error::system("removing " + path.string(), errno);
  return {};
}

/// What a process that was killed left half written of this secret. Errors of one stop no other.
void remove_leftovers(const SecretPlace& place, int directory) {
  const auto beginning = temporary_of(place.path.filename());
  const auto folder = place.path.parent_path();
  std::error_code failed;
  for (fs::directory_iterator entry(folder, failed), end; !failed && entry != end; entry.increment(failed)) {
    const std::string name = entry->path().filename();
    const pid_t writer = writer_of(name, beginning);
    if (writer <= 0 || ::kill(writer, 0) == 0 || errno != ESRCH) continue;
    const FileDescriptor file(
        ::openat(directory, name.c_str(), O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (file.is_open()) static_cast<void>(wipe_and_unlink(directory, name, file.get(), entry->path()));
  }
}

Result<> replace_by(int directory, const SecretPlace& place, std::span<const std::uint8_t> secret) {
  const std::string name = place.path.filename();
  const std::string temporary = temporary_of(name) + std::to_string(::getpid()) + "." + random_name();
  const FileDescriptor file(
      ::openat(directory, temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file.is_open()) return Error::system("making " + place.path.string(), errno);
  auto filled = fill(file.get(), place.path.parent_path() / temporary, place, secret);
  if (filled && ::renameat(directory, temporary.c_str(), directory, name.c_str()) != 0) {
    filled = Error::system("making " + place.path.string(), errno);
  }
  if (!filled) ::unlinkat(directory, temporary.c_str(), 0);
  return filled;
}

}  // namespace

Result<SecretPlace> secret_place(const repository::VolumeSettings& settings) {
  SecretPlace place{settings.mountpoint, ::geteuid(), ::getegid()};
  for (const auto word : option_words(settings.options)) ZKV_CHECK(take_word(word, place));
  return place;
}

Result<> check_secret_place(const SecretPlace& place) {
  ZKV_TRY(const auto directory, open_nearest_guarded(place.path.parent_path()));
  return is_in_memory(directory.fd.get()) ? Result<>() : on_a_disk(directory.path);
}

bool is_secret_there(const SecretPlace& place) {
  struct stat info {};
  return ::lstat(place.path.c_str(), &info) == 0 && is_own_file(info, place);
}

Result<SecretWritten> write_secret(const SecretPlace& place, std::span<const std::uint8_t> secret) {
  ZKV_TRY(const auto directory, open_place(place, true));
  remove_leftovers(place, directory.get());
  ZKV_TRY(const auto there, open_secret(place, directory.get(), O_RDONLY));
  if (there.is_open()) {
    const auto old = read_secret(there.get(), secret.size(), place.path);
    if (old && equal_in_constant_time(old->span(), secret)) return SecretWritten::kBefore;
  }
  ZKV_CHECK(replace_by(directory.get(), place, secret));
  return SecretWritten::kNow;
}

Result<bool> remove_secret(const SecretPlace& place) {
  auto directory = open_place(place, false);
  if (!directory && directory.error().kind() == ErrorKind::kNotFound) return false;
  if (!directory) return tl::unexpected(directory.error());
  remove_leftovers(place, directory->get());
  ZKV_TRY(const auto file, open_secret(place, directory->get(), O_WRONLY));
  if (!file.is_open()) return false;
  ZKV_CHECK(wipe_and_unlink(directory->get(), place.path.filename(), file.get(), place.path));
  return true;
}

}  // namespace zkv::unlock
