// Gathering by kind and address, a minute at a time.
#include "gateway/service/refusals.h"

#include <fmt/format.h>

namespace zkv::gateway {
namespace {

constexpr std::chrono::minutes kWindow{1};

}  // namespace

std::vector<audit::Event> Refusals::note(const std::string& kind, const std::string& address,
                                         const std::string& detail, Time now, const std::string& request) {
  const std::lock_guard lock(mutex_);
  Key key{kind, address};
  if (!gathered_.contains(key) && gathered_.size() >= kMostRows) key = {"refused.other", ""};
  const auto [entry, is_first] = gathered_.try_emplace(key, Gathered{now, 0, detail, request});
  auto& gathered = entry->second;
  if (is_first) return {audit::Event{now, key.first, request, key.second, detail}};
  if (gathered.more++ == 0) gathered.request = request;
  if (gathered.request != request) gathered.request.clear();
  gathered.detail = detail;
  return {};
}

std::vector<audit::Event> Refusals::ended(Time now) {
  const std::lock_guard lock(mutex_);
  std::vector<audit::Event> rows;
  for (auto entry = gathered_.begin(); entry != gathered_.end();) {
    auto& [key, gathered] = *entry;
    if (now < gathered.since + kWindow) {
      ++entry;
    } else if (gathered.more == 0) {
      entry = gathered_.erase(entry);
    } else {
      rows.push_back(row_of(key, gathered, now));
      gathered = {now, 0, "", ""};
      ++entry;
    }
  }
  return rows;
}

std::vector<audit::Event> Refusals::all() {
  const std::lock_guard lock(mutex_);
  std::vector<audit::Event> rows;
  for (const auto& [key, gathered] : gathered_) {
    if (gathered.more > 0) rows.push_back(row_of(key, gathered, gathered.since));
  }
  gathered_.clear();
  return rows;
}

std::optional<Time> Refusals::next() const {
  const std::lock_guard lock(mutex_);
  std::optional<Time> earliest;
  for (const auto& [key, gathered] : gathered_) {
    if (!earliest || gathered.since + kWindow < *earliest) earliest = gathered.since + kWindow;
  }
  return earliest;
}

audit::Event Refusals::row_of(const Key& key, const Gathered& gathered, Time at) {
  return {
      at, key.first, gathered.request, key.second,
      fmt::format("{} more since {}; the last: {}", gathered.more, to_text(gathered.since), gathered.detail)};
}

}  // namespace zkv::gateway
