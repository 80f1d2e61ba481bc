// Mounting what lies on a LUKS mapping: where its volume says, or where fstab does.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "unlock/luks.h"
#include "unlock/mappings.h"
#include "unlock/mount_table.h"

namespace zkv::unlock {

class LuksMounts {
 public:
  /// Reads what is mounted now. Errors: kIo.
  static Result<LuksMounts> read(const LuksOptions& options);

  /// Where the mapping's filesystem is mounted, first mounted first.
  [[nodiscard]] std::vector<std::string> places_of(const Mapping& mapping) const;

  /// Mounts the filesystem of the volume on its mapping. Nothing to do where neither volume nor fstab says
  /// where.
  [[nodiscard]] std::vector<MountOutcome> mount(const VolumeRef& volume, const Mapping& mapping) const;
  /// Unmounts it wherever it is mounted, last mounted first.
  [[nodiscard]] std::vector<MountOutcome> unmount(const Mapping& mapping) const;

 private:
  explicit LuksMounts(const LuksOptions& options) : options_(options) {}
  [[nodiscard]] bool is_mounted_at(const Mapping& mapping, const std::string& place) const;
  [[nodiscard]] Result<std::vector<std::string>> wanted_places(const VolumeRef& volume,
                                                               const Mapping& mapping) const;
  [[nodiscard]] Result<std::vector<std::string>> places_in_fstab(const Mapping& mapping) const;
  [[nodiscard]] Result<> mount_at(const VolumeRef& volume, const std::string& device,
                                  const std::string& place) const;

  const LuksOptions& options_;
  std::vector<Mounted> mounted_;
};

}  // namespace zkv::unlock
