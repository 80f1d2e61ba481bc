// Telling systemd what the service is waiting for, as `systemctl status` shows it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

namespace zkv::host {

/// STATUS=`line` for the service manager, in plain text: a line break in it would begin another assignment,
/// such as READY=1. Does nothing, and loads nothing, unless NOTIFY_SOCKET is set. Source: sd_notify(3).
void notify_status(const std::string& line);

/// Asks for that much time from now on before a start counts as failed, under the same condition. Less than
/// what is left shortens nothing. Source: EXTEND_TIMEOUT_USEC of sd_notify(3).
void notify_longer(std::chrono::milliseconds time);

/// READY=1, under the same condition: what the service is started for is reached.
void notify_ready();

/// A status that says how long it has held: "LINE, 3 min". Does nothing unless NOTIFY_SOCKET is set. Several
/// threads may use it at once.
class StatusClock {
 public:
  explicit StatusClock(std::chrono::milliseconds minute = std::chrono::minutes(1)) : minute_(minute) {}
  void say(const std::string& line);

 private:
  void tick(const std::stop_token& stop);

  std::chrono::milliseconds minute_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::string line_;
  std::chrono::steady_clock::time_point since_;
  std::jthread ticking_;
};

}  // namespace zkv::host
