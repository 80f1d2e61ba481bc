// A child process that cannot outlive its parent, and that the parent need not wait for for ever.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>

#include "base/file.h"
#include "base/result.h"

namespace zkv::unlock {

class BoundChild {
 public:
  /// A copy of this process that calls `work` with the descriptor on which it answers, and ends. It ends also
  /// when this thread ends, or soon after `limit`, whatever became of the parent; only the parent hears the
  /// signals that end a program; and it holds none of the parent's descriptors but those of stdin, stdout and
  /// stderr. Errors: kIo.
  static Result<BoundChild> start(const std::function<void(int answer)>& work,
                                  std::chrono::milliseconds limit);
  BoundChild(BoundChild&& other) noexcept;
  BoundChild& operator=(BoundChild&& other) noexcept;
  /// Ends it with SIGKILL where end() was not called.
  ~BoundChild();

  /// Readable when it says something, and when it has ended.
  [[nodiscard]] int answer() const { return answer_.get(); }

  /// Waits for its end, after `kill_it` for a few seconds only: one that waits for a device that does not
  /// answer hears not even SIGKILL before the device does, and is left to itself.
  void end(bool kill_it);

 private:
  BoundChild(pid_t pid, FileDescriptor answer);

  pid_t pid_;
  FileDescriptor process_;  ///< readable once it has ended
  FileDescriptor answer_;
};

}  // namespace zkv::unlock
