// Waiting until something happens in one of some folders.
#pragma once

#include <filesystem>
#include <stop_token>
#include <vector>

#include "base/file.h"
#include "base/result.h"

namespace zkv::prompts {

struct WatchedFolder {
  std::filesystem::path path;
  /// Whether it counts that a file in it is opened; not where whoever watches opens them.
  bool also_opens = false;
};

class FolderWatch {
 public:
  /// From now on nothing is missed. A folder that is not there is made, or passed over where that cannot be.
  /// Errors: kIo. Source: inotify(7).
  static Result<FolderWatch> on(const std::vector<WatchedFolder>& folders);

  /// Returns when a file was made, renamed or written in one of them since the last wait, or a stop is
  /// asked for. Errors: kIo.
  Result<> wait(const std::stop_token& stop);

 private:
  FolderWatch(FileDescriptor events, FileDescriptor wake)
      : events_(std::move(events)), wake_(std::move(wake)) {}

  FileDescriptor events_;
  FileDescriptor wake_;
};

}  // namespace zkv::prompts
