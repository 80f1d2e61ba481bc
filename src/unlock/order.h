// Which volume must be open before which, found from the paths that each needs and gives. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "unlock/unlocker.h"

namespace zkv::unlock {

/// Whether `path` lies below `directory`, or is the same; both are clean paths.
bool lies_within(std::string_view path, std::string_view directory);
/// The first of `directories` that `path` lies below, and is not itself.
std::optional<std::string> held_by(std::string_view path, const std::vector<std::string>& directories);

class Order {
 public:
  explicit Order(const std::vector<Survey>& surveys);

  /// The volumes that `volume` lies on, nearest only; itself, where it lies on itself.
  [[nodiscard]] std::vector<std::string> below(const std::string& volume) const;
  /// The way around, from `volume` back to it; empty where it does not lie on itself.
  [[nodiscard]] std::vector<std::string> cycle_through(const std::string& volume) const;

 private:
  std::map<std::string, std::vector<std::string>> below_;
};

}  // namespace zkv::unlock
