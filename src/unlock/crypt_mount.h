// Mounting what lies on a dm-crypt mapping: where its volume says, or where fstab does.
#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "unlock/crypt.h"
#include "unlock/mappings.h"
#include "unlock/mount_table.h"

namespace zkv::unlock {

struct OpenVolume {
  VolumeRef volume;
  Mapping mapping;  ///< the volume's own
  bool is_read_only = false;
};

class CryptMounts {
 public:
  /// Reads what is mounted now. Errors: kIo.
  static Result<CryptMounts> read(const CryptOptions& options);

  /// Where the mapping's filesystem is mounted, first mounted first.
  [[nodiscard]] std::vector<std::string> places_of(const Mapping& mapping) const;

  /// Mounts the filesystems of `volumes`, parents first, but none below one of `held`, nor below one that
  /// failed. Nothing to do where neither volume nor fstab says where.
  [[nodiscard]] std::vector<MountOutcome> mount(const std::vector<OpenVolume>& volumes,
                                                const std::vector<std::string>& held,
                                                const std::stop_token& stop) const;
  /// What fstab calls otherwise than what lies on them, as blkid(8) tells. See Unlocker::contradictions().
  [[nodiscard]] std::vector<MountOutcome> contradictions(const std::vector<OpenVolume>& volumes) const;
  /// Unmounts them wherever they are mounted, children first.
  [[nodiscard]] std::vector<MountOutcome> unmount(const std::vector<OpenVolume>& volumes,
                                                  const std::stop_token& stop) const;

 private:
  explicit CryptMounts(const CryptOptions& options) : options_(options) {}
  [[nodiscard]] bool is_mounted_at(const Mapping& mapping, const std::string& place) const;
  [[nodiscard]] bool is_taken(const std::string& place) const;
  [[nodiscard]] Result<std::vector<std::string>> wanted_places(const VolumeRef& volume,
                                                               const Mapping& mapping) const;
  /// Nothing where the volume holds no filesystem, as a part of a pool does not.
  [[nodiscard]] std::optional<MountOutcome> mounted_nowhere(const OpenVolume& open) const;
  /// By systemd where its line of fstab is a unit, else by mount(8).
  [[nodiscard]] Result<> mount_somehow(const OpenVolume& open, const std::string& place,
                                       const std::stop_token& stop) const;
  [[nodiscard]] Result<> run_mount(const OpenVolume& open, const std::string& place) const;
  [[nodiscard]] MountOutcome mount_at(const OpenVolume& open, const std::string& place,
                                      const std::stop_token& stop) const;

  const CryptOptions& options_;
  std::vector<Mounted> mounted_;
};

}  // namespace zkv::unlock
