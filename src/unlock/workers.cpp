// poll over the answers of all children.
#include "unlock/workers.h"

#include <poll.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <thread>

#include "unlock/worker_child.h"

namespace zkv::unlock {

namespace {

using WorkerClock = std::chrono::steady_clock;

struct Worker {
  std::size_t index = 0;  ///< of its work
  WorkerChild child;
};

/// All workers that live at one moment.
class Crew {
 public:
  Crew(const std::vector<Work>& works, const WorkerBounds& bounds, std::vector<Worked>& worked)
      : works_(works), bounds_(bounds), worked_(worked) {}

  [[nodiscard]] bool is_idle() const { return workers_.empty(); }

  [[nodiscard]] bool has_room_for(std::size_t index) const {
    if (workers_.empty()) return true;
    return workers_.size() < bounds_.workers && memory_ + works_[index].memory <= bounds_.memory;
  }

  void begin(std::size_t index) {
    auto child = WorkerChild::start(works_[index], bounds_.limit);
    if (!child) {
      worked_[index].result = tl::unexpected(child.error());
      return;
    }
    memory_ += works_[index].memory;
    workers_.push_back({index, std::move(*child)});
  }

  /// Waits until at least one has said something or used up its time, and takes what was said.
  void wait() {
    std::vector<pollfd> watched;
    for (const auto& worker : workers_) watched.push_back({worker.child.answer(), POLLIN, 0});
    if (::poll(watched.data(), watched.size(), milliseconds_left()) < 0) return;
    for (std::size_t i = workers_.size(); i-- > 0;) {
      if (watched[i].revents != 0) listen_to(i);
    }
    for (std::size_t i = workers_.size(); i-- > 0;) {
      if (WorkerClock::now() - workers_[i].child.begun() >= bounds_.limit) give_up(i);
    }
  }

 private:
  [[nodiscard]] int milliseconds_left() const {
    const auto first = std::min_element(workers_.begin(), workers_.end(), [](const auto& a, const auto& b) {
      return a.child.begun() < b.child.begun();
    });
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(first->child.begun() + bounds_.limit -
                                                                   WorkerClock::now());
    return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 3'600'000));
  }

  void listen_to(std::size_t place) {
    WorkerChild& child = workers_[place].child;
    if (!child.listen()) let_go(place, child.result(), false);
  }

  void give_up(std::size_t place) { let_go(place, Error::unavailable("it did not end in time"), true); }

  void let_go(std::size_t place, Result<std::uint64_t> result, bool kill_it) {
    auto& [index, child] = workers_[place];
    child.end(kill_it);
    worked_[index] = {std::move(result),
                      std::chrono::round<std::chrono::milliseconds>(WorkerClock::now() - child.begun())};
    memory_ -= works_[index].memory;
    workers_.erase(workers_.begin() + static_cast<std::ptrdiff_t>(place));
  }

  const std::vector<Work>& works_;
  const WorkerBounds& bounds_;
  std::vector<Worked>& worked_;
  std::vector<Worker> workers_;
  std::uint64_t memory_ = 0;
};

/// "MemAvailable" of proc(5), in KiB; 0 where the kernel does not say.
std::uint64_t available_memory() {
  std::ifstream file("/proc/meminfo");
  for (std::string word; file >> word;) {
    std::uint64_t number = 0;
    if (word == "MemAvailable:" && file >> number) return number;
  }
  return 0;
}

}  // namespace

WorkerBounds bounds_of_machine(std::chrono::milliseconds limit) {
  return {std::max(1U, std::thread::hardware_concurrency()), available_memory() / 4 * 3, limit};
}

std::vector<Worked> work_in_children(const std::vector<Work>& works, const WorkerBounds& bounds,
                                     const std::stop_token& stop) {
  const Error interrupted = Error::interrupted("not tried, since a stop was asked for");
  std::vector<Worked> worked(works.size(), {tl::unexpected(interrupted), {}});
  Crew crew(works, bounds, worked);
  std::size_t next = 0;
  while (true) {
    while (next < works.size() && !stop.stop_requested() && crew.has_room_for(next)) crew.begin(next++);
    if (!crew.is_idle()) {
      crew.wait();
    } else if (next == works.size() || stop.stop_requested()) {
      return worked;
    }
  }
}

}  // namespace zkv::unlock
