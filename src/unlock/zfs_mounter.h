// Mounting many ZFS filesystems that do not lie in one another, several at once.
#pragma once

#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.h"
#include "unlock/zfs.h"
#include "unlock/zfs_program.h"
#include "unlock/zfs_properties.h"

namespace zkv::unlock {

/// Does what `zfs mount NAME` does, as many at once as there are cores: by libzfs, which is spared the start
/// of a program for each, and by zfs(8) where there is no libzfs that is known, or it does not mount it: then
/// zfs(8) has the words for why. So it has for what a `zfs receive` may have left half made, which libzfs
/// would mount. Looks for libzfs when something is to be mounted, once.
class ZfsMounter {
 public:
  /// Both outlive it.
  ZfsMounter(const ZfsOptions& options, const ZfsProgram& program);
  ZfsMounter(const ZfsMounter&) = delete;
  ZfsMounter& operator=(const ZfsMounter&) = delete;
  ~ZfsMounter();

  /// One answer for each. Call it while no other thread of this process is at work. Errors: kExists (it is
  /// mounted), kConflict (half received), kInterrupted, kUnavailable (no end within the limit), kDenied (it
  /// came up elsewhere than its mount point says, and was unmounted), kIo.
  std::vector<Result<>> mount(const std::vector<const Dataset*>& datasets, const std::stop_token& stop);

 private:
  class LibZfs;
  /// What came up where it should not is mounted no more.
  void check_places(const std::vector<const Dataset*>& datasets, std::vector<Result<>>& mounted) const;
  [[nodiscard]] std::vector<Result<>> mount_by_library(const std::vector<const Dataset*>& datasets,
                                                       const std::stop_token& stop) const;

  const ZfsOptions& options_;
  const ZfsProgram& program_;
  bool has_looked_ = false;
  std::unique_ptr<LibZfs> library_;
};

}  // namespace zkv::unlock
