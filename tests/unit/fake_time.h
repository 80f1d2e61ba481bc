// A clock for tests, whose time passes only by waiting.
#pragma once

#include <chrono>
#include <stop_token>
#include <vector>

#include "net/retry.h"

namespace zkv::test {

struct FakeTime {
  Time at{};
  std::vector<std::chrono::milliseconds> waits = {};

  /// Waits pass at once and are written down; `this` outlives the clock.
  net::Clock clock() {
    return {.now = [this] { return at; },
            .wait = [this](std::chrono::milliseconds time, const std::stop_token&) -> Result<> {
              waits.push_back(time);
              at += time;
              return {};
            }};
  }
};

}  // namespace zkv::test
