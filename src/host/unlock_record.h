// The record of the last unlock of each volume: no secrets, kept through reboots, shown by `zkv status`.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "repository/volume_keys.h"
#include "unlock/unlocker.h"

namespace zkv::host {

struct LastUnlock {
  std::string kind;                          ///< as Unlocker::name
  Time tried;                                ///< when it was last tried
  std::string result;                        ///< what came of that, in the words of unlock::to_text
  Time opened;                               ///< when it was last opened; the epoch when it never was
  repository::VolumeSettings settings = {};  ///< those that it had then
  std::map<std::string, std::string> unmounted = {};  ///< where mounting it failed then, and why
};

/// Volume name → its last unlock.
using UnlockRecord = std::map<std::string, LastUnlock, std::less<>>;

/// $STATE_DIRECTORY/last-unlock.json, as systemd sets it by StateDirectory=; else
/// /var/lib/zkv/last-unlock.json.
std::filesystem::path default_record_path();

/// Empty when there is no such file. Errors: kCorrupt, kIo.
Result<UnlockRecord> read_record(const std::filesystem::path& path);

struct Tried {
  unlock::Outcome outcome;
  repository::VolumeSettings settings = {};
  std::map<std::string, std::string> unmounted = {};  ///< as in LastUnlock
};

/// Enters what was just tried into the file, atomically and under a lock, and leaves other volumes as they
/// are. A file that cannot be understood is replaced. Makes the directory where it is missing. Errors: kIo.
Result<> enter_into_record(const std::filesystem::path& path, std::string_view kind,
                           const std::vector<Tried>& tried, Time now);

/// Volumes that have another name now: old name → new name.
using Renamed = std::map<std::string, std::string>;

/// Has the file, if there is one, follow the repository: volumes take their new names, and what is not there
/// any more goes. Errors: kIo.
Result<> leave_in_record(const std::filesystem::path& path, const repository::VolumeKeys& keys,
                         const Renamed& renamed = {});

}  // namespace zkv::host
