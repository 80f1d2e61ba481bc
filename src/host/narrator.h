// What a person is told while one gateway is asked.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>

namespace zkv::host {

/// Says what is new about one gateway, in plain text. One that fails again and again is told of once a
/// minute, not at each try.
class Narrator {
 public:
  /// `say` outlives this; it may be empty.
  Narrator(std::string address, const std::function<void(const std::string&)>& say)
      : address_(std::move(address)), say_(say) {}

  void waiting(const std::string& id);
  /// The same for a request of version 2, with the number that people compare, and how many people can decide
  /// (0: the gateway does not say, or nobody but its console).
  void waiting(const std::string& id, const std::string& number, std::uint64_t people);
  /// `pause` is the time until the next try, told where it is long.
  void trouble(const std::string& why, std::chrono::milliseconds pause = {});

 private:
  void tell(const std::string& text);

  std::string address_;
  const std::function<void(const std::string&)>& say_;
  std::map<std::string, std::chrono::steady_clock::time_point> said_;
  std::string last_;
};

}  // namespace zkv::host
