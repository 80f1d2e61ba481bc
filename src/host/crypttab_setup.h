// Volumes that systemd opens with our keys: whether all that this takes is in place, and putting it there.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "host/remembered.h"
#include "unlock/crypttab.h"
#include "unlock/system_volumes.h"
#include "unlock/unlocker.h"

namespace zkv::host {

struct CrypttabPlaces {
  std::filesystem::path crypttab = "/etc/crypttab";
  std::filesystem::path units = "/etc/systemd/system";
  std::filesystem::path devices = "/dev";
  std::filesystem::path socket = unlock::kCryptsetupSocket;
};

struct CrypttabFinding {
  std::string volume;  ///< the mapping's name; empty: it concerns all
  std::string what;
  std::string command;  ///< that mends it
};

/// What keeps systemd from opening, by its own lines in crypttab, what asks us for a key; and which of the
/// volumes has a line that asks somebody else. Of those that the `system` lies on the initramfs asks, which
/// has no socket of ours. With `knows_all` what is not among `volumes` is missing from the repository.
/// Errors: kIo.
Result<std::vector<CrypttabFinding>> check_crypttab(const std::vector<VolumeOfKind>& volumes, bool knows_all,
                                                    const unlock::SystemVolumes& system,
                                                    const CrypttabPlaces& places = {});

struct FileChange {
  std::filesystem::path path;
  std::string before;  ///< empty where there was none
  std::string after;   ///< empty: the file goes
};

/// What has to be written so that systemd opens these volumes with keys from us: lines of crypttab (the rest
/// of the file stays as it is), and for each mapping the end of systemd's time limit for it. Nothing where
/// all is there. Errors: kIo, kUnsupported (a volume that crypttab cannot describe).
Result<std::vector<FileChange>> plan_crypttab(const std::vector<VolumeOfKind>& volumes,
                                              const CrypttabPlaces& places = {});
/// The way back: their lines that ask us, and the files beside. Errors: kIo, kNotFound (no such line).
Result<std::vector<FileChange>> plan_crypttab_removal(const std::vector<std::string>& volumes,
                                                      const CrypttabPlaces& places = {});

/// Makes the changes, each atomically; crypttab as it was before it held any line of ours is kept as
/// "crypttab.zkv-old". Errors: kIo.
Result<> make_changes(const std::vector<FileChange>& changes, const CrypttabPlaces& places = {});

/// Whether `unit` is wanted by a target, as "systemctl enable" makes it.
bool is_enabled(const std::string& unit, const CrypttabPlaces& places = {});

}  // namespace zkv::host
