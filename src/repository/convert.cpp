// From the seed's format to version 2 and back, without a moment in which the volumes' keys are in no file.
#include <unistd.h>

#include <cerrno>

#include "base/encoding.h"
#include "repository/change.h"
#include "repository/edit_version2.h"
#include "repository/key_text.h"
#include "repository/seed_file.h"
#include "repository/store.h"

namespace zkv::repository {

namespace fs = std::filesystem;

namespace {

struct NewFile {
  Bytes bytes;
  SecretBytes new_key;
};

Result<NewFile> to_version2(const LockedFile& locked, const SecretBytes& key) {
  if (is_version2(locked.file)) return Error::invalid("the repository has version 2 already");
  Version2 repository = new_version2();
  repository.outside.header.generation = 1;
  repository.outside.header.written = now();
  ZKV_TRY(repository.keys, open_seed_file(locked.file, key));
  NewFile made{{}, new_key()};
  ZKV_CHECK(append_slot_for(
      repository, {.type = SlotType::kRecovery, .label = {}, .secret = made.new_key.clone(), .cost = {}}));
  ZKV_CHECK(append_slot_for(
      repository, {.type = SlotType::kClassic, .label = "seed", .secret = key.clone(), .cost = {}}));
  made.bytes = write_version2(repository);
  return made;
}

Result<NewFile> to_seed(const LockedFile& locked, const SecretBytes& key) {
  if (!is_version2(locked.file)) return Error::invalid("the repository has the seed's format already");
  ZKV_TRY(const auto repository, open_version2(locked.file, key));
  ZKV_CHECK(check_fits_seed_file(repository.keys));
  NewFile made;
  const bool stays = key_from_text(key).has_value();
  if (!stays) made.new_key = new_key();
  ZKV_TRY(const auto token, write_seed_file(repository.keys, stays ? key : made.new_key, now()));
  made.bytes.assign(token.begin(), token.end());
  return made;
}

/// Gives the old file a second name. That name may be there from an earlier try that was killed, when it is
/// the very same file.
Result<> keep_aside(const fs::path& path, const fs::path& aside) {
  std::error_code error;
  if (::link(path.c_str(), aside.c_str()) == 0 || (errno == EEXIST && fs::equivalent(path, aside, error))) {
    return {};
  }
  if (errno == EEXIST) {
    return Error::exists(aside.string() + " exists already").remedy("move it away and try again");
  }
  return Error::system("keeping the old file as " + aside.string(), errno);
}

}  // namespace

Result<Converted> convert(const fs::path& path, const SecretBytes& key, Format format,
                          const fs::path& target) {
  ZKV_TRY(const auto locked, lock_and_read(path));
  auto made = format == Format::kVersion2 ? to_version2(locked, key) : to_seed(locked, key);
  if (!made) return std::move(made).error().context(path.string());
  const fs::path& old = locked.lock.path();
  if (real_path(target) != old) {
    ZKV_CHECK(create_file(target, made->bytes));
    return Converted{old, std::move(made->new_key)};
  }
  const fs::path aside = old.string() + (format == Format::kVersion2 ? ".seed" : ".v2");
  ZKV_CHECK(keep_aside(old, aside));
  ZKV_CHECK(locked.lock.replace(made->bytes));
  return Converted{aside, std::move(made->new_key)};
}

}  // namespace zkv::repository
