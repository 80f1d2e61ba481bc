// Lock, bytes and leftovers of a repository file.
#include "repository/store.h"

#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

namespace zkv::repository {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kSuffix = 16;  // hexadecimal digits in the name of a temporary file

/// Whether `name` is `before`, kSuffix digits and ".tmp".
bool is_temporary(std::string_view name, const std::string& before) {
  static constexpr std::string_view kEnd = ".tmp";
  return name.size() == before.size() + kSuffix + kEnd.size() && name.starts_with(before) &&
         name.ends_with(kEnd) &&
         name.substr(before.size(), kSuffix).find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

/// Only the holder of the lock makes such files, so that any that is there has lost its maker.
void remove_leftovers(const fs::path& path) {
  const std::string name = path.filename().string();
  const std::vector<std::string> makers{"." + name + ".", name + ".previous.", "." + name + ".generation."};
  std::error_code error;
  for (fs::directory_iterator entry(path.parent_path(), error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string found = entry->path().filename().string();
    const bool leftover = std::any_of(makers.begin(), makers.end(),
                                      [&](const auto& before) { return is_temporary(found, before); });
    if (leftover) ::unlink(entry->path().c_str());
  }
}

}  // namespace

fs::path real_path(const fs::path& path) {
  std::error_code error;
  const fs::path absolute = fs::absolute(path, error);
  if (error) return path;
  return fs::is_symlink(absolute, error) ? fs::weakly_canonical(absolute, error) : absolute;
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
    return Error::not_found("there is no repository at " + path.string())
        .remedy(
            "'zkv fs init --repository /var/lib/zkv/repository' makes that of the machine; --repository "
            "names another place");
  }
  return bytes;
}

Result<WriteLock> WriteLock::acquire(const fs::path& path) {
  const fs::path real = real_path(path);
  ZKV_TRY(auto lock, FileLock::acquire(real));
  remove_leftovers(real);
  return WriteLock(real, std::move(lock));
}

Result<> WriteLock::replace(std::span<const std::uint8_t> file) const {
  return replace_file(path_, file, {.mode = 0600, .previous = path_.string() + ".previous"});
}

Result<LockedFile> lock_and_read(const fs::path& path) {
  std::error_code error;
  if (!fs::exists(path, error)) ZKV_CHECK(read_bytes(path));
  ZKV_TRY(auto lock, WriteLock::acquire(path));
  ZKV_TRY(auto file, read_bytes(lock.path()));
  return LockedFile{std::move(lock), std::move(file)};
}

}  // namespace zkv::repository
