// How long to wait before the next try, so that many hosts that start at once do not come back at once.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>

namespace zkv::host {

struct BackoffOptions {
  std::chrono::milliseconds first{500};
  std::chrono::milliseconds most{15'000};
  std::chrono::milliseconds without_network{1'000};  ///< nobody is spared by waiting longer
};

/// A random wait between zero and a bound that doubles with every try ("full jitter").
class Backoff {
 public:
  /// Uniform in 0 ≤ n < bound.
  using Random = std::function<std::uint32_t(std::uint32_t bound)>;

  Backoff(BackoffOptions options, Random random);
  std::chrono::milliseconds next();

 private:
  BackoffOptions options_;
  Random random_;
  std::chrono::milliseconds bound_;
};

}  // namespace zkv::host
