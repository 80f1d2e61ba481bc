// Filesystems that are mounted already where one that they lie in is still to come up, and would hide them.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "unlock/zfs_mount.h"

namespace zkv::unlock {

/// Takes them away before a mounting, and lets that one put them back in their turn. Those that are in use
/// stay, and are hidden: a mount point is what others may choose, and must not keep back what they do not
/// own.
class Cover {
 public:
  using UnmountOne = std::function<Result<>(const Dataset& dataset)>;

  /// Unmounts what would be hidden, of `ordered` (which mount_all() is to be given, but for what lies below
  /// one of `held`) or another of `datasets`, the innermost first.
  Cover(std::vector<Dataset> ordered, const Datasets& datasets, const std::vector<std::string>& held,
        const UnmountOne& unmount);

  /// `ordered` as it is now, with the others that were unmounted.
  [[nodiscard]] const std::vector<Dataset>& ordered() const { return ordered_; }

  /// Those that were unmounted and, by what came of the mounting, are not mounted again.
  [[nodiscard]] std::vector<const Dataset*> left_out(const std::vector<MountOutcome>& outcomes) const;

  /// What was in use, and is hidden now, has failed, where it is one of `outcomes`; else what hides it says
  /// so.
  void tell_what_is_hidden(std::vector<MountOutcome>& outcomes) const;

 private:
  std::vector<Dataset> ordered_;
  Names taken_away_;
  std::vector<Dataset> in_use_;
};

}  // namespace zkv::unlock
