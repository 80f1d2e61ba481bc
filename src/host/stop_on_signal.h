// SIGINT and SIGTERM as a stop request, so that what has begun is finished and nothing is left half done.
#pragma once

#include <atomic>
#include <csignal>
#include <stop_token>
#include <thread>

#include "base/file.h"
#include "base/result.h"

namespace zkv::host {

/// While this lives, SIGINT and SIGTERM do not end the process but request a stop. To be made before any
/// thread is started (they inherit the blocked signals). A second signal ends the process as usual.
class StopOnSignal {
 public:
  StopOnSignal();
  StopOnSignal(const StopOnSignal&) = delete;
  StopOnSignal& operator=(const StopOnSignal&) = delete;
  ~StopOnSignal();

  [[nodiscard]] std::stop_token token() const { return source_.get_token(); }
  /// The signal that came, or 0.
  [[nodiscard]] int signal() const { return signal_.load(); }

 private:
  void watch(const std::stop_token& done);

  sigset_t before_{};
  std::stop_source source_;
  std::atomic<int> signal_{0};
  FileDescriptor signals_;
  FileDescriptor wake_;
  std::jthread watcher_;
};

}  // namespace zkv::host
