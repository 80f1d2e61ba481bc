// Lock, bytes and leftovers of a repository file.
#include "repository/store.h"

#include <string>

#include "base/encoding.h"
#include "crypto/hash.h"
#include "repository/generation.h"

namespace zkv::repository {

namespace fs = std::filesystem;

fs::path real_path(const fs::path& path) {
  std::error_code error;
  const fs::path absolute = fs::absolute(path, error);
  if (error) return path;
  return fs::is_symlink(absolute, error) ? fs::weakly_canonical(absolute, error) : absolute;
}

fs::path previous_of(const fs::path& path) { return path.string() + ".previous"; }

std::string put_back(const fs::path& path) {
  return "put that back: cp -p " + previous_of(path).string() + " " + path.string();
}

Result<Bytes> read_bytes(const fs::path& path) {
  auto bytes = read_file(path, kLargestFile);
  if (!bytes && bytes.error().kind() == ErrorKind::kNotFound) {
    std::error_code error;
    static_cast<void>(fs::exists(kSystemPlace, error));
    if (error == std::errc::permission_denied) {
      return Error::io("there is no repository at " + path.string() + ", and this user may not look at " +
                       kSystemPlace)
          .remedy("say this as root");
    }
    const fs::path real = real_path(path);
    if (fs::exists(previous_of(real), error)) {
      return Error::not_found("there is no repository at " + path.string() +
                              "; the generation before it is there: " + previous_of(real).string())
          .remedy(put_back(real));
    }
    return Error::not_found("there is no repository at " + path.string())
        .remedy(
            "put it back if there is a backup of it; "
            "'zkv fs init --repository /var/lib/zkv/repository' makes a new one for the machine; "
            "--repository names another place");
  }
  return bytes;
}

Result<std::optional<fs::path>> keep_replaced(const fs::path& file, const fs::path& path) {
  const auto bytes = read_bytes(file);
  if (!bytes && bytes.error().kind() == ErrorKind::kNotFound) return std::nullopt;
  if (!bytes) return tl::unexpected(bytes.error());
  if (bytes->empty()) return std::nullopt;
  fs::path aside = path.string() + ".replaced-" + to_hex(crypto::sha256(*bytes)).substr(0, 8);
  auto kept = create_file(aside, *bytes);
  if (!kept && kept.error().kind() != ErrorKind::kExists) return std::move(kept).error();
  return aside;
}

Result<WriteLock> WriteLock::acquire(const fs::path& path) {
  const fs::path real = real_path(path);
  ZKV_TRY(auto lock, FileLock::acquire(real));
  remove_leftovers(real);
  remove_leftovers(generation_note(real));  // one that a reader is just writing is worth less than a warning
  return WriteLock(real, std::move(lock));
}

Result<> WriteLock::replace(std::span<const std::uint8_t> file) const {
  return replace_file(path_, file, {.mode = 0600, .previous = previous_of(path_)});
}

Result<LockedFile> lock_and_read(const fs::path& path) {
  std::error_code error;
  if (!fs::exists(path, error)) ZKV_CHECK(read_bytes(path));
  ZKV_TRY(auto lock, WriteLock::acquire(path));
  ZKV_TRY(auto file, read_bytes(lock.path()));
  return LockedFile{std::move(lock), std::move(file)};
}

}  // namespace zkv::repository
