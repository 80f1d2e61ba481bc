// Whether the database lies where the packaged service, shut in by its unit, can keep it.
#include <fmt/format.h>

#include "gateway/settings/settings.h"

namespace zkv::gateway {

namespace {

std::filesystem::path resolved(const std::filesystem::path& path) {
  std::error_code failure;
  auto found = std::filesystem::weakly_canonical(path, failure);
  return failure ? path.lexically_normal() : found;
}

bool lies_in(const std::filesystem::path& path, const std::filesystem::path& folder) {
  const auto relative = path.lexically_relative(folder);
  return !relative.empty() && *relative.begin() != "..";
}

}  // namespace

std::optional<StrayDatabase> stray_database(const Settings& settings) {
  const auto path = resolved(settings.database);
  const auto home = resolved(settings.data_dir);
  if (lies_in(path, home)) return std::nullopt;
  StrayDatabase stray;
  stray.vanishes = lies_in(path, "/tmp") || lies_in(path, "/var/tmp");
  const char* const what = stray.vanishes
                               ? "under the packaged unit it vanishes at each stop (PrivateTmp=yes)"
                               : "the packaged unit cannot write there (ProtectSystem=strict)";
  stray.what = fmt::format("the database {} lies outside the data directory {}: {}",
                           settings.database.string(), settings.data_dir.string(), what);
  stray.remedy = fmt::format(
      "stop the gateway, move the file (with its -wal, if there is one) to {}, and take "
      "sqlalchemy-database-uri away",
      (settings.data_dir / "gateway.db").string());
  return stray;
}

}  // namespace zkv::gateway
