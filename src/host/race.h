// Several at once, of whom the first to succeed ends the others: a dead or slow one must not delay a live
// one.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include "base/result.h"

namespace zkv::host {

/// Collects what the gateways' threads end with.
template <class T>
class Referee {
 public:
  explicit Referee(std::size_t runners) : running_(runners) {}

  void hear(Result<T> result) {
    const std::lock_guard lock(mutex_);
    --running_;
    if (!best_ || rank(result) > rank(*best_)) best_ = std::move(result);
    changed_.notify_all();
  }

  /// Waits until nothing better can come.
  void wait_for_decision() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return running_ == 0 || (best_ && rank(*best_) >= kDecisive); });
  }

  Result<T> take() {
    const std::lock_guard lock(mutex_);
    return std::move(*best_);
  }

 private:
  static constexpr int kDecisive = 8;

  /// A key before a person's no, a no before all that leaves it open.
  static int rank(const Result<T>& result) {
    if (result) return 9;
    switch (result.error().kind()) {
      case ErrorKind::kDenied:
        return kDecisive;
      case ErrorKind::kPending:
        return 6;
      case ErrorKind::kCorrupt:
        return 5;
      case ErrorKind::kUnavailable:
        return 4;
      case ErrorKind::kRefused:  // Another may still know us.
        return 3;
      case ErrorKind::kInterrupted:
        return 1;
      default:
        return 2;
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t running_;
  std::optional<Result<T>> best_;
};

template <class T>
using Runner = std::function<Result<T>(const std::stop_token& stop)>;

/// Runs all of `runners` (at least one), each on a thread of its own. The first success wins; a kDenied, a
/// person's no, ends all; otherwise it waits until each has ended. The others are stopped at once, and all
/// threads have ended on return. Errors: of several, the one that says most (kPending before kUnavailable).
template <class T>
Result<T> race(const std::vector<Runner<T>>& runners, const std::stop_token& stop) {
  Referee<T> referee(runners.size());
  std::stop_source stop_all;
  const std::stop_callback forward(stop, [&] { stop_all.request_stop(); });
  std::vector<std::jthread> threads;
  threads.reserve(runners.size());
  for (const auto& runner : runners) {
    threads.emplace_back([&, token = stop_all.get_token()] { referee.hear(runner(token)); });
  }
  referee.wait_for_decision();
  stop_all.request_stop();
  threads.clear();
  auto result = referee.take();
  if (result || !stop.stop_requested()) return result;
  return Error::interrupted("stopped before there was a key");
}

}  // namespace zkv::host
