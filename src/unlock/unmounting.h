// Unmounting by path, though others may own directories on the way.
#pragma once

#include <functional>
#include <string>

#include "base/result.h"

namespace zkv::unlock {

enum class Unmounting {
  kIfUnused,  ///< what is in use stays
  kAtOnce,    ///< out of everybody's sight, though some may still have it open
};

/// Unmounts what is on top at that path, as /proc/self/mountinfo has it, and nothing that a link at its end
/// or on the way leads to. Call it while no other thread of this process is at work. Errors: kIo (in use, not
/// mounted, a link), kUnavailable (not within five minutes). Source: umount(2).
Result<> unmount_place(const std::string& place, Unmounting how);

using Unmount = std::function<Result<>(const std::string& place, Unmounting how)>;

}  // namespace zkv::unlock
