// Two records, joined by name.
#include "host/remembered.h"

#include <map>

#include "host/drift_record.h"
#include "host/unlock_record.h"

namespace zkv::host {

Result<std::vector<VolumeOfKind>> remembered_volumes(const std::filesystem::path& unlock_record,
                                                     const std::filesystem::path& drift_record) {
  std::map<std::string, VolumeOfKind> volumes;
  const auto unlocked = read_record(unlock_record);
  for (const auto& [name, last] : unlocked.value_or(UnlockRecord())) {
    volumes[name] = {last.kind, {name, last.settings}};
  }
  const auto drift = read_drift_record(drift_record);
  const auto remembered = drift.value_or(DriftRecord());
  for (const auto& [name, known] : remembered.volumes) {
    volumes[name] = {known.kind, {name, known.settings}};
  }
  if (volumes.empty() && !unlocked) return tl::unexpected(unlocked.error());
  if (volumes.empty() && !drift) return tl::unexpected(drift.error());
  std::vector<VolumeOfKind> all;
  all.reserve(volumes.size());
  for (auto& [name, volume] : volumes) all.push_back(std::move(volume));
  return all;
}

Result<std::vector<VolumeOfKind>> remembered_volumes() {
  return remembered_volumes(default_record_path(), default_drift_path());
}

}  // namespace zkv::host
