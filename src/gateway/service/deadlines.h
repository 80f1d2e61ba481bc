// When each open request expires; one ordered set in place of a timer for each.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "gateway/approval/request.h"

namespace zkv::gateway {

class Deadlines {
 public:
  void set(const RequestId& id, Time at);
  void erase(const RequestId& id);
  [[nodiscard]] std::size_t size() const { return by_id_.size(); }
  [[nodiscard]] std::optional<Time> next() const;
  [[nodiscard]] std::vector<RequestId> due(Time now) const;

 private:
  std::set<std::pair<Time, std::string>> by_time_;
  std::unordered_map<std::string, Time> by_id_;
};

}  // namespace zkv::gateway
