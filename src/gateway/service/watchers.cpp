// Who watches which request.
#include "gateway/service/watchers.h"

#include <utility>
#include <vector>

namespace zkv::gateway {

void Watchers::add(const std::shared_ptr<Watch>& watch) { by_request_.emplace(watch->request().text, watch); }

void Watchers::remove(const std::shared_ptr<Watch>& watch) {
  auto [from, to] = by_request_.equal_range(watch->request().text);
  for (; from != to; ++from) {
    if (from->second != watch) continue;
    by_request_.erase(from);
    break;
  }
  watch->end(false);
}

void Watchers::wake(const RequestId& request) {
  ++changes_;
  wake_those_of(request.text);
  wake_those_of("");
}

void Watchers::wake_those_of(const std::string& request) {
  const auto [from, to] = by_request_.equal_range(request);
  std::vector<std::shared_ptr<Watch>> watches;
  for (auto at = from; at != to; ++at) watches.push_back(at->second);
  by_request_.erase(from, to);
  for (const auto& watch : watches) watch->end(true);
}

void Watchers::wake_all() {
  ++changes_;
  for (const auto& [request, watch] : std::exchange(by_request_, {})) watch->end(true);
}

}  // namespace zkv::gateway
