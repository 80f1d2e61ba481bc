// Finding, recognising and opening a repository of either format.
#include "repository/repository.h"

#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "base/encoding.h"
#include "repository/generation.h"
#include "repository/seed_file.h"
#include "repository/store.h"
#include "repository/version2.h"

namespace zkv::repository {

namespace fs = std::filesystem;

namespace {

constexpr const char* kHomeName = ".zkv-repository";
constexpr const char* kPlaceVariable = "ZKV_REPOSITORY";

bool is_place_named() {
  const char* path = std::getenv(kPlaceVariable);
  return path != nullptr && *path != '\0';
}

fs::path home() {
  if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0') return home;
  const passwd* user = ::getpwuid(::getuid());
  return user != nullptr ? fs::path(user->pw_dir) : fs::path("/");
}

Result<Format> recognise(const Bytes& file) {
  if (is_version2(file)) {
    ZKV_CHECK(read_outside(file));
    return Format::kVersion2;
  }
  if (is_seed_file(file)) return Format::kSeed;
  return Error::corrupt("this is not a repository, or its beginning is damaged")
      .remedy("put back the previous generation, kept beside it with the ending .previous, or a backup");
}

Error has_no_slots() {
  return Error::unsupported("the repository has the seed's format, which no gateway's slot can open")
      .remedy("convert it ('zkv repository convert') and enrol again");
}

Result<Opened> open_bytes(const fs::path& path, Bytes file, const SecretBytes& secret,
                          const std::optional<GatewayId>& gateway,
                          const std::optional<SeenGeneration>& seen) {
  Opened opened;
  ZKV_TRY(opened.format, recognise(file));
  if (opened.format == Format::kSeed) {
    if (gateway) return has_no_slots();
    ZKV_TRY(auto text, decrypt_seed_file(file, secret));
    Bytes().swap(file);  // its memory is what the volumes then need
    ZKV_TRY(opened.keys, read_seed_text(std::move(text)));
    return opened;
  }
  ZKV_TRY(auto repository,
          gateway ? open_version2_by_gateway(file, *gateway, secret) : open_version2(file, secret));
  opened.keys = std::move(repository.keys);
  opened.warning = rollback_warning(seen, repository.outside.header);
  remember_generation(path, seen, repository.outside, file);
  return opened;
}

}  // namespace

fs::path default_path() {
  if (is_place_named()) return std::getenv(kPlaceVariable);
  std::error_code error;
  fs::path of_home = home() / kHomeName;
  const bool is_gone = !fs::exists(of_home, error) && fs::exists(previous_of(kSystemPlace), error);
  return fs::exists(kSystemPlace, error) || is_gone ? fs::path(kSystemPlace) : of_home;
}

std::optional<fs::path> hidden_by(const fs::path& path) {
  std::error_code error;
  if (is_place_named() || path != kSystemPlace || fs::exists(path, error)) return std::nullopt;
  fs::path now = default_path();
  return fs::exists(now, error) ? std::optional(std::move(now)) : std::nullopt;
}

Result<Format> format_of(const fs::path& path) {
  ZKV_TRY(const auto file, read_bytes(path));
  auto format = recognise(file);
  if (!format) return std::move(format).error().context(path.string());
  return format;
}

namespace {

Result<Opened> open_with(const fs::path& path, const SecretBytes& secret,
                         const std::optional<GatewayId>& gateway) {
  const fs::path real = real_path(path);
  const auto seen = seen_generation(real);
  ZKV_TRY(auto file, read_bytes(real));
  auto opened = open_bytes(real, std::move(file), secret, gateway, seen);
  if (!opened) return std::move(opened).error().context(path.string());
  return opened;
}

}  // namespace

Result<Opened> open(const fs::path& path, const RepositoryKey& key) {
  return open_with(path, key.secret, key.gateway);
}

Result<Opened> open(const fs::path& path, const SecretBytes& text) {
  return open_with(path, text, std::nullopt);
}

Result<Tried> try_key(const fs::path& path, const SecretBytes& text) {
  const fs::path real = real_path(path);
  const auto seen = seen_generation(real);
  ZKV_TRY(const auto file, read_bytes(real));
  if (is_seed_file(file)) {
    return Error::unsupported(path.string() + " has the seed's format, which has no slots")
        .remedy("'zkv repository convert' turns it into version 2");
  }
  auto opened = open_version2(file, text);
  if (!opened) return std::move(opened).error().context(path.string());
  Tried tried;
  const auto& slots = opened->outside.slots;
  tried.slot = *std::find_if(slots.begin(), slots.end(),
                             [&](const Slot& slot) { return slot.id == opened->opened_by; });
  tried.volumes = opened->keys.size();
  tried.warning = rollback_warning(seen, opened->outside.header);
  return tried;
}

}  // namespace zkv::repository
