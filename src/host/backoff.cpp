// Full jitter over an exponential bound.
#include "host/backoff.h"

#include <algorithm>
#include <utility>

namespace zkv::host {

Backoff::Backoff(BackoffOptions options, Random random)
    : options_(options), random_(std::move(random)), bound_(options.first) {}

std::chrono::milliseconds Backoff::next() {
  const auto bound = static_cast<std::uint32_t>(bound_.count());
  bound_ = std::min(2 * bound_, options_.most);
  return std::chrono::milliseconds(random_(bound + 1));
}

}  // namespace zkv::host
