// Token buckets kept as one point in time each, and counts.
#include "gateway/http/limits.h"

#include <algorithm>

namespace zkv::gateway::http {

AddressBytes limited_unit(const AddressBytes& address) {
  static const auto ipv4 = parse_address("0.0.0.0").value();
  if (std::equal(ipv4.begin(), ipv4.begin() + 12, address.begin())) return address;
  auto unit = address;
  std::fill(unit.begin() + 8, unit.end(), std::uint8_t{0});
  return unit;
}

bool RateLimiter::allow(const AddressBytes& address, Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  const auto unit = limited_unit(address);
  const auto found = full_at_.find(unit);
  if (found == full_at_.end()) {
    if (!make_room(now)) return false;
    full_at_.emplace(unit, now + interval_);
    return true;
  }
  const auto full_at = std::max(found->second, now) + interval_;
  if (full_at - now > interval_ * burst_) return false;
  found->second = full_at;
  return true;
}

std::size_t RateLimiter::size() const {
  const std::lock_guard lock(mutex_);
  return full_at_.size();
}

bool RateLimiter::make_room(Clock::time_point now) {
  if (full_at_.size() < capacity_) return true;
  std::erase_if(full_at_, [&](const auto& entry) { return entry.second <= now; });
  return full_at_.size() < capacity_;
}

bool ConnectionLimits::enter(const AddressBytes& address, bool trusted) {
  const std::lock_guard lock(mutex_);
  if (open_ >= total_) return false;
  if (!trusted) {
    auto& count = open_by_address_[limited_unit(address)];
    if (count >= per_address_) return false;
    ++count;
  }
  ++open_;
  return true;
}

void ConnectionLimits::leave(const AddressBytes& address, bool trusted) {
  const std::lock_guard lock(mutex_);
  --open_;
  if (trusted) return;
  const auto found = open_by_address_.find(limited_unit(address));
  if (--found->second == 0) open_by_address_.erase(found);
}

}  // namespace zkv::gateway::http
