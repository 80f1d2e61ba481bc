// What zkv remembers of the repository's volumes while it has no key at hand: their names, and how each one's
// key looked from outside when it was last proved to fit. No secrets; kept through reboots.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "host/boot.h"
#include "repository/volume_keys.h"
#include "unlock/unlocker.h"

namespace zkv::host {

struct KnownVolume {
  std::string kind;  ///< as Unlocker::name
  repository::VolumeSettings settings = {};
  Time proved = {};                      ///< when the repository's key last fitted; the epoch: never
  unlock::Fingerprint fingerprint = {};  ///< as it was then
  std::string refused = {};              ///< why it did not fit when it was tried last; empty: it did
};

struct DriftRecord {
  std::string repository = {};  ///< whose volumes they are: its path, every link followed; empty: not known
  Time drilled = {};            ///< when a drill last went well; the epoch: never
  std::map<std::string, KnownVolume, std::less<>> volumes;  ///< those of the repository, as it was last open
  std::set<std::string, std::less<>> changing;  ///< of the repository, whose keys are being changed
  std::set<std::string, std::less<>> accepted;  ///< what is encrypted here and is not to be in the repository
};

/// Those of `volumes`, by name with kind and settings, that are of that kind.
template <class Volumes>
std::vector<unlock::VolumeRef> refs_of_kind(const Volumes& volumes, std::string_view kind) {
  std::vector<unlock::VolumeRef> refs;
  for (const auto& [name, volume] : volumes) {
    if (volume.kind == kind) refs.push_back({name, volume.settings});
  }
  return refs;
}

/// How a volume that stays out of the repository is called in DriftRecord::accepted; `kind` as
/// Unlocker::name.
std::string accepted_name(std::string_view kind, const std::string& volume,
                          const repository::VolumeSettings& settings);

/// drift.json beside default_record_path().
std::filesystem::path default_drift_path();

/// Empty when there is no such file. Errors: kCorrupt, kIo.
Result<DriftRecord> read_drift_record(const std::filesystem::path& path);

/// Changes the record, atomically and under a lock. A file that cannot be understood is replaced. Makes the
/// directory where it is missing. Errors: kIo.
Result<> change_drift_record(const std::filesystem::path& path,
                             const std::function<void(DriftRecord&)>& change);

/// Whether the record is of that repository, or from now on: another's only where that is gone.
bool belongs_to(DriftRecord& record, const std::filesystem::path& repository);

/// Takes in what was just opened or tried: what fitted is looked at and is proved now; what opened by the key
/// that it was looked at with looks as it did then. With `is_whole` these
/// are all volumes of the repository, and others are forgotten.
void take_in(DriftRecord& record, const MountReport& report, bool is_whole, const Unlockers& unlockers,
             Time now);
/// Takes in the names of all volumes of the repository. The key of `changed` may be another now.
void take_in(DriftRecord& record, const repository::VolumeKeys& keys, const std::string& changed);

}  // namespace zkv::host
