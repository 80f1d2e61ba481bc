// libzfs_core, loaded at run time: keys go to the kernel in binary form, without a terminal or a program.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"

namespace zkv::unlock {

/// libzfs_core copies keys into ordinary memory, which it frees without wiping. So every call is made in a
/// child process, a copy of this one that ends right after: its memory goes back to the kernel with it, and a
/// call that hangs can be given up. Where there are many, several children make them at the same time.
class ZfsCore {
 public:
  struct Entry {
    std::string name;
    std::span<const std::uint8_t> wrapping_key;  ///< kWrappingKeySize bytes; empty to unload
  };
  struct Answer {
    /// 0, or an errno value; ECANCELED when its child ended without an answer, or all before its turn;
    /// ETIMEDOUT when time did.
    int error_number;
    std::chrono::microseconds took;
  };

  /// The first of `libraries` that can be loaded. Errors: kUnsupported.
  static Result<ZfsCore> load(const std::vector<std::string>& libraries);

  /// Loads (or with `only_check`, tries) keys, one answer for each entry. errno values: EACCES wrong key,
  /// EEXIST loaded already, ENOENT no such dataset, EINVAL not an encryption root. Call it while no other
  /// thread of this process is at work. Errors, where no child did anything: kUnsupported (ZFS is not there:
  /// no /dev/zfs), kIo, kUnavailable (not even that was known within `limit`).
  [[nodiscard]] Result<std::vector<Answer>> load_keys(const std::vector<Entry>& entries, bool only_check,
                                                      std::chrono::milliseconds limit) const;
  /// In the order given. errno values: EACCES not loaded, EBUSY in use, ENOENT. Errors: as load_keys.
  [[nodiscard]] Result<std::vector<Answer>> unload_keys(const std::vector<Entry>& entries,
                                                        std::chrono::milliseconds limit) const;

 private:
  struct Functions {
    int (*init)() = nullptr;
    int (*load_key)(const char* name, int only_check, std::uint8_t* key, unsigned size) = nullptr;
    int (*unload_key)(const char* name) = nullptr;
  };

  ZfsCore(std::shared_ptr<void> library, Functions functions)
      : library_(std::move(library)), functions_(functions) {}

  std::shared_ptr<void> library_;
  Functions functions_;
};

}  // namespace zkv::unlock
