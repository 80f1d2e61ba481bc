// Looks again and again: udev's folders come and go too, so that there is no one place to watch.
#include "unlock/device_wait.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "unlock/block_devices.h"

namespace zkv::unlock {

namespace {

constexpr std::chrono::milliseconds kBetweenLooks{200};

}  // namespace

bool can_come(const std::string& name, const std::filesystem::path& devices) {
  return !name.starts_with('/') || name.starts_with(devices.string() + "/");
}

std::vector<std::size_t> await_devices(const std::vector<std::string>& names,
                                       const std::filesystem::path& devices,
                                       std::chrono::steady_clock::time_point until,
                                       const std::stop_token& stop) {
  std::vector<std::size_t> there;
  const bool is_hopeless =
      std::none_of(names.begin(), names.end(), [&](const auto& name) { return can_come(name, devices); });
  if (is_hopeless) return there;
  std::mutex mutex;
  std::unique_lock lock(mutex);
  std::condition_variable_any never;
  while (!stop.stop_requested()) {
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (can_come(names[i], devices) && find_device(names[i], devices)) there.push_back(i);
    }
    if (!there.empty() || std::chrono::steady_clock::now() >= until) break;
    never.wait_for(lock, stop, kBetweenLooks, [] { return false; });
  }
  return there;
}

}  // namespace zkv::unlock
