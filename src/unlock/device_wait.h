// Waiting for devices that udev has not found yet.
#pragma once

#include <chrono>
#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

namespace zkv::unlock {

/// Whether udev may bring it: what is no name of its own, such as the path of a file, is not waited for.
bool can_come(const std::string& name, const std::filesystem::path& devices);

/// Waits until at least one of `names` (as find_device() takes them) is there, and says which are: their
/// places among `names`. None when the time is up, which is seen only after a look, or a stop is asked for,
/// or none of them can_come().
std::vector<std::size_t> await_devices(const std::vector<std::string>& names,
                                       const std::filesystem::path& devices,
                                       std::chrono::steady_clock::time_point until,
                                       const std::stop_token& stop);

}  // namespace zkv::unlock
