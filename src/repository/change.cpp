// Describing, creating and editing a repository of either format.
#include "repository/change.h"

#include "base/encoding.h"
#include "crypto/fernet.h"
#include "crypto/random.h"
#include "repository/edit_version2.h"
#include "repository/seed_file.h"
#include "repository/store.h"

namespace zkv::repository {

namespace fs = std::filesystem;

namespace {

Result<Bytes> empty_file(Format format, const SecretBytes& key) {
  if (format == Format::kSeed) {
    ZKV_TRY(const auto token, write_seed_file({}, key, now()));
    return Bytes(token.begin(), token.end());
  }
  Version2 repository = new_version2();
  repository.outside.header.generation = 1;
  repository.outside.header.written = now();
  ZKV_CHECK(append_slot_for(repository,
                            {.type = SlotType::kRecovery, .label = {}, .secret = key.clone(), .cost = {}}));
  return write_version2(repository);
}

/// What could not be held before (put there by another program) need not be held now; new volumes must.
Result<VolumeKeys> edit_seed(const LockedFile& locked, const SecretBytes& key,
                             const std::function<Result<>(VolumeKeys&)>& change) {
  auto keys = open_seed_file(locked.file, key);
  if (!keys) return std::move(keys).error().context(locked.lock.path().string());
  const bool fitted = check_fits_seed_file(*keys).has_value();
  ZKV_CHECK(change(*keys));
  if (fitted) ZKV_CHECK(check_fits_seed_file(*keys));
  ZKV_TRY(const auto token, write_seed_file(*keys, key, now()));
  ZKV_CHECK(locked.lock.replace(bytes_of(token)));
  return keys;
}

Result<> check_folder_of(const fs::path& path) {
  const auto folder = real_path(path).parent_path();
  std::error_code error;
  if (fs::is_directory(folder, error)) return {};
  return Error::not_found("there is no folder " + folder.string() + " for the repository")
      .remedy("make it, as by mkdir -m 700, or give another place by --repository");
}

/// Only a repository, an empty file or nothing makes way for a new repository.
Result<> check_replaceable(const fs::path& path) {
  std::error_code error;
  const auto kind = fs::status(path, error).type();
  if (kind == fs::file_type::not_found) return {};
  if (kind != fs::file_type::regular) {
    return Error::invalid(path.string() + " is not a regular file, and is left as it is")
        .remedy("give another place by --repository");
  }
  auto file = read_bytes(path);
  if (!file) return std::move(file).error();
  if (file->empty() || is_version2(*file) || is_seed_file(*file)) return {};
  return Error::invalid(path.string() + " is not a repository, and is left as it is")
      .remedy("move it away, or give another place by --repository");
}

}  // namespace

Result<Description> describe(const fs::path& path) {
  ZKV_TRY(const auto format, format_of(path));
  if (format == Format::kSeed) return Description{format, std::nullopt};
  ZKV_TRY(const auto file, read_bytes(path));
  ZKV_TRY(auto outside, read_outside(file));
  return Description{format, std::move(outside)};
}

SecretBytes new_key() {
  return crypto::fernet_key_to_text(crypto::random_secret(crypto::kFernetKeySize).span());
}

namespace {

/// The next change would put the new file's first generation in the place of the lost one's last.
Result<> check_nothing_left_of(const fs::path& path) {
  std::error_code error;
  const bool is_left = !fs::exists(path, error) && fs::exists(previous_of(path), error);
  if (!is_left) return {};
  return Error::exists("the repository " + path.string() +
                       " is gone, and the generation before it is there: " + previous_of(path).string())
      .remedy(put_back(path) + "; --force makes a new one, and keeps that beside it under another name");
}

}  // namespace

Result<std::optional<fs::path>> create(const fs::path& path, Format format, const SecretBytes& key,
                                       bool replace) {
  ZKV_TRY(const auto file, empty_file(format, key));
  ZKV_CHECK(check_folder_of(path));
  if (replace) ZKV_CHECK(check_replaceable(path));
  ZKV_TRY(const auto lock, WriteLock::acquire(path));
  if (replace) {
    ZKV_TRY(auto aside, keep_replaced(lock.path(), lock.path()));
    // Where the file is gone, this may be all that is left of it.
    if (!aside) {
      ZKV_TRY(aside, keep_replaced(previous_of(lock.path()), lock.path()));
    }
    ZKV_CHECK(lock.replace(file));
    return aside;
  }
  ZKV_CHECK(check_nothing_left_of(lock.path()));
  auto created = create_file(lock.path(), file);
  if (!created && created.error().kind() == ErrorKind::kExists) {
    return Error::exists("there is a repository at " + path.string() + " already")
        .remedy("--force makes a new one in its place, and keeps the old one beside it");
  }
  return created.map([] { return std::optional<fs::path>(); });
}

Result<> edit(const fs::path& path, const SecretBytes& key,
              const std::function<Result<>(VolumeKeys&)>& change,
              const std::function<void(const VolumeKeys&)>& written) {
  ZKV_TRY(const auto locked, lock_and_read(path));
  const auto show = [&](const VolumeKeys& keys) {
    if (written) written(keys);
  };
  if (!is_version2(locked.file)) return edit_seed(locked, key, change).map(show);
  return edit_version2(locked, key, [&](Version2& repository) { return change(repository.keys); })
      .map([&](const Version2& repository) { show(repository.keys); });
}

Result<> edit(const fs::path& path, const RepositoryKey& key,
              const std::function<Result<>(VolumeKeys&)>& change) {
  ZKV_TRY(const auto locked, lock_and_read(path));
  if (!is_version2(locked.file)) return Error::unsupported(path.string() + " has the seed's format");
  auto repository = key.gateway ? open_version2_by_gateway(locked.file, *key.gateway, key.secret)
                                : open_version2(locked.file, key.secret);
  if (!repository) return std::move(repository).error().context(path.string());
  ZKV_CHECK(change(repository->keys));
  return write_next_generation(locked.lock, *repository);
}

}  // namespace zkv::repository
