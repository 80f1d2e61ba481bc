// Volumes that a program opens: a loader, in any language, which speaks the protocol of docs/loaders.md.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>

#include "unlock/service_manager.h"
#include "unlock/unlocker.h"

namespace zkv::unlock {

struct CommandOptions {
  std::chrono::milliseconds limit{240'000};  ///< for opening a volume, or trying its key
  std::chrono::milliseconds close_limit{120'000};
  std::chrono::milliseconds status_limit{20'000};
  std::chrono::milliseconds time_to_finish{10'000};  ///< for opening, after a stop request
  std::filesystem::path manager = kServiceManager;   ///< where it is not there, loaders are our own children
  std::filesystem::path mount_table = "/proc/self/mountinfo";
};

/// Where the loaders that zkv brings lie: a program named by one word is there.
inline constexpr const char* kLoaderFolder = "/usr/lib/zkv/loaders";

std::unique_ptr<Unlocker> make_command_unlocker(CommandOptions options);

}  // namespace zkv::unlock
