// What opening will need and no key is needed for, done beside getting the key and reading the repository.
#pragma once

#include <optional>
#include <thread>

#include "unlock/zfs.h"
#include "unlock/zfs_core.h"

namespace zkv::unlock {

/// libzfs_core, which brings a dozen of other libraries, is loaded by a thread of its own; where there is no
/// ZFS, or no room for a thread, it is loaded when it is needed, or what is wrong is told then. Keeps it as
/// long as this lives. The thread takes no signals.
class Preparation {
 public:
  explicit Preparation(const ZfsOptions& options);
  Preparation(const Preparation&) = delete;
  Preparation& operator=(const Preparation&) = delete;
  ~Preparation() = default;

  /// Waits for its end. Before this no child is begun: none may be while another thread is at work.
  void await();

 private:
  void load(const ZfsOptions& options) noexcept;

  std::optional<ZfsCore> core_;
  std::jthread thread_;
};

}  // namespace zkv::unlock
