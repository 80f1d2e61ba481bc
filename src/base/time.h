// Points in time as the whole project passes them about: UTC, in milliseconds, given by the caller and never
// read by a pure function.
#pragma once

#include <chrono>
#include <string>

namespace zkv {

using Time = std::chrono::sys_time<std::chrono::milliseconds>;

/// The system's clock now.
Time now();
/// RFC 3339 in UTC with milliseconds, as in 2026-03-01T08:15:30.125Z.
std::string to_text(Time time);

}  // namespace zkv
