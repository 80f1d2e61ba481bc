// Waiting that a stop request ends.
#include "host/deadline.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>

namespace zkv::host {

bool is_over(const Deadline& deadline) { return deadline && std::chrono::steady_clock::now() >= *deadline; }

std::chrono::milliseconds time_left(const Deadline& deadline) {
  if (!deadline) return std::chrono::milliseconds::zero();
  return std::max(std::chrono::milliseconds(1),
                  std::chrono::ceil<std::chrono::milliseconds>(*deadline - std::chrono::steady_clock::now()));
}

bool wait(std::chrono::milliseconds time, const Deadline& deadline, const std::stop_token& stop) {
  auto until = std::chrono::steady_clock::now() + time;
  if (deadline) until = std::min(until, *deadline);
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait_until(lock, stop, until, [] { return false; });
  return !stop.stop_requested();
}

}  // namespace zkv::host
