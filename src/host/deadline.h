// A point in time at which a host gives up, and waiting until then at most.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <stop_token>

namespace zkv::host {

/// None: never.
using Deadline = std::optional<std::chrono::steady_clock::time_point>;

bool is_over(const Deadline& deadline);
/// At least a millisecond; zero without a deadline, as for net::HttpRequest::timeout.
std::chrono::milliseconds time_left(const Deadline& deadline);
/// Waits for `time`, at most until the deadline. False when a stop was asked for meanwhile.
bool wait(std::chrono::milliseconds time, const Deadline& deadline, const std::stop_token& stop);
/// What waits so.
using Wait = std::function<bool(std::chrono::milliseconds, const Deadline&, const std::stop_token&)>;

}  // namespace zkv::host
