// Mounting what lies on a dm-crypt mapping: where its volume says, or where fstab does.
#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "unlock/crypt.h"
#include "unlock/layers.h"
#include "unlock/mount_table.h"

namespace zkv::unlock {

/// What can be mounted of a volume that is open: its mapping, or one of several devices that lie on that.
struct OpenVolume {
  VolumeRef volume;
  TopDevice device;
  bool is_read_only = false;
  bool is_one_of_many = false;
  bool is_of_others = false;  ///< not root alone decides what is on it
};

class CryptMounts {
 public:
  /// Reads what is mounted now. Errors: kIo.
  static Result<CryptMounts> read(const CryptOptions& options);

  /// Where the device's filesystem is mounted, first mounted first; a btrfs of several devices is each one's.
  [[nodiscard]] std::vector<std::string> places_of(const TopDevice& device) const;

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
  [[nodiscard]] bool holds(const TopDevice& device, const Mounted& mounted) const;
  [[nodiscard]] bool is_mounted_at(const TopDevice& device, const std::string& place) const;
  [[nodiscard]] bool is_taken(const std::string& place) const;
  [[nodiscard]] Result<std::vector<std::string>> wanted_places(const OpenVolume& open) const;
  /// Nothing where the volume holds no filesystem, as a part of a pool does not.
  [[nodiscard]] std::optional<MountOutcome> mounted_nowhere(const OpenVolume& open) const;
  /// By systemd where its line of fstab is a unit, else by mount(8).
  [[nodiscard]] Result<> mount_somehow(const OpenVolume& open, const std::string& place,
                                       const std::stop_token& stop) const;
  /// What others can write is mounted by fstab only where its line there lets nobody become root by it.
  /// Errors: kDenied.
  [[nodiscard]] Result<> check_lines_at(const OpenVolume& open, const std::string& place) const;
  /// What others can write and is mounted otherwise, by whomever, is unmounted, and told as failed.
  void take_rights_back(const std::vector<OpenVolume>& volumes, std::vector<MountOutcome>& outcomes) const;
  [[nodiscard]] MountOutcome mount_at(const OpenVolume& open, const std::string& place,
                                      const std::stop_token& stop) const;

  const CryptOptions& options_;
  std::vector<Mounted> mounted_;
};

}  // namespace zkv::unlock
