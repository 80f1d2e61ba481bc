// Work in child processes, several at once, as many as the machine's memory bears.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <stop_token>
#include <vector>

#include "base/result.h"

namespace zkv::unlock {

/// One piece of work. It runs in a copy of this process that ends right after, so that whatever it leaves in
/// memory goes with it, and a library that is not made for threads can be used by several at once.
struct Work {
  std::uint64_t memory = 0;                    ///< KiB that it will need
  std::function<Result<std::uint64_t>()> run;  ///< what it answers is for whom it may concern
};

struct Worked {
  Result<std::uint64_t> result;
  std::chrono::milliseconds took{0};
};

struct WorkerBounds {
  std::size_t workers = 1;             ///< at most so many at once
  std::uint64_t memory = 0;            ///< KiB for all of them; what needs more than all of it runs alone
  std::chrono::milliseconds limit{0};  ///< for each
};

/// One worker for each core, and three quarters of the memory that is free now.
WorkerBounds bounds_of_machine(std::chrono::milliseconds limit);

/// Does all of `works`, begun in their order; one answer for each. Further errors: kInterrupted (a stop was
/// asked for before its turn), kUnavailable (the limit passed; the child is killed), kInternal (the child
/// died). What has begun when a stop is asked for is finished: a child hears no SIGINT, SIGTERM or SIGHUP. It
/// is killed when this process ends.
/// Call it while no other thread of this process is at work.
std::vector<Worked> work_in_children(const std::vector<Work>& works, const WorkerBounds& bounds,
                                     const std::stop_token& stop);

}  // namespace zkv::unlock
