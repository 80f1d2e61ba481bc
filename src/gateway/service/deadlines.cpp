// The two views of the same deadlines, kept in step.
#include "gateway/service/deadlines.h"

namespace zkv::gateway {

void Deadlines::set(const RequestId& id, Time at) {
  erase(id);
  by_time_.emplace(at, id.text);
  by_id_.emplace(id.text, at);
}

void Deadlines::erase(const RequestId& id) {
  const auto found = by_id_.find(id.text);
  if (found == by_id_.end()) return;
  by_time_.erase({found->second, id.text});
  by_id_.erase(found);
}

std::optional<Time> Deadlines::next() const {
  if (by_time_.empty()) return std::nullopt;
  return by_time_.begin()->first;
}

std::vector<RequestId> Deadlines::due(Time now) const {
  std::vector<RequestId> ids;
  for (const auto& [at, id] : by_time_) {
    if (at > now) break;
    ids.push_back({id});
  }
  return ids;
}

}  // namespace zkv::gateway
