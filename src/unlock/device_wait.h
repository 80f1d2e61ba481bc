// Waiting for devices that udev has not found yet.
#pragma once

#include <chrono>
#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

namespace zkv::unlock {

/// Waits until at least one of `names` (as find_device() takes them) is there, and says which are: their
/// places among `names`. None when the time is up, or a stop is asked for. What is no name of udev's, such as
/// the path of a file, is not waited for.
std::vector<std::size_t> await_devices(const std::vector<std::string>& names,
                                       const std::filesystem::path& devices,
                                       std::chrono::steady_clock::time_point until,
                                       const std::stop_token& stop);

}  // namespace zkv::unlock
