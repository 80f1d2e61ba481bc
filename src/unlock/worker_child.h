// One child process with one piece of work: how it begins, what it answers, how it ends.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>

#include "base/file.h"
#include "unlock/workers.h"

namespace zkv::unlock {

class WorkerChild {
 public:
  /// The child ends by itself when this thread ends, or soon after `limit`, whatever became of the parent;
  /// and it holds none of the parent's descriptors but those of stdin, stdout and stderr. Errors: kIo.
  static Result<WorkerChild> start(const Work& work, std::chrono::milliseconds limit);

  /// Readable when it says something, and when it has ended.
  [[nodiscard]] int answer() const { return answer_.get(); }
  [[nodiscard]] std::chrono::steady_clock::time_point begun() const { return begun_; }

  /// Takes what can be read now. False once there is no more to come.
  bool listen();
  /// What it said. Errors: its own; kInternal (it died without a word).
  [[nodiscard]] Result<std::uint64_t> result() const;
  /// Waits for its end, after `kill_it` for a few seconds only: one that waits for a device that does not
  /// answer hears not even SIGKILL before the device does, and is left to itself.
  void end(bool kill_it) const;

 private:
  WorkerChild(pid_t pid, FileDescriptor answer);

  pid_t pid_;
  FileDescriptor process_;  ///< readable once it has ended
  FileDescriptor answer_;
  std::string text_;
  std::chrono::steady_clock::time_point begun_;
};

}  // namespace zkv::unlock
