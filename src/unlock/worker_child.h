// One child process with one piece of work: how it begins, what it answers, how it ends.
#pragma once

#include <chrono>
#include <string>

#include "unlock/bound_child.h"
#include "unlock/workers.h"

namespace zkv::unlock {

class WorkerChild {
 public:
  /// Errors: kIo.
  static Result<WorkerChild> start(const Work& work, std::chrono::milliseconds limit);

  /// Readable when it says something, and when it has ended.
  [[nodiscard]] int answer() const { return child_.answer(); }
  [[nodiscard]] std::chrono::steady_clock::time_point begun() const { return begun_; }

  /// Takes what can be read now. False once there is no more to come.
  bool listen();
  /// What it said. Errors: its own; kInternal (it died without a word).
  [[nodiscard]] Result<std::uint64_t> result() const;
  /// As BoundChild::end().
  void end(bool kill_it) { child_.end(kill_it); }

 private:
  explicit WorkerChild(BoundChild child);

  BoundChild child_;
  std::string text_;
  std::chrono::steady_clock::time_point begun_;
};

}  // namespace zkv::unlock
