// One thread a core, which take the next index from a common counter.
#include "unlock/parallel.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

namespace zkv::unlock {

void for_each_index(std::size_t count, const std::stop_token& stop,
                    const std::function<void(std::size_t)>& work) {
  std::atomic<std::size_t> next{0};
  const auto take_turns = [&] {
    while (!stop.stop_requested()) {
      const std::size_t index = next.fetch_add(1);
      if (index >= count) return;
      work(index);
    }
  };
  const std::size_t cores = std::max(1U, std::thread::hardware_concurrency());
  std::vector<std::jthread> threads;
  for (std::size_t i = 1; i < std::min(cores, count); ++i) threads.emplace_back(take_turns);
  take_turns();
}

}  // namespace zkv::unlock
