// The same work on many things at once, on as many threads as there are cores.
#pragma once

#include <cstddef>
#include <functional>
#include <stop_token>

namespace zkv::unlock {

/// Calls `work(i)` for each 0 ≤ i < `count`, at most one call for each core at a time, and returns when all
/// are done. After a stop request no further call begins; work(i) for the rest is left out.
/// `work` must bear being called from several threads, and must not throw.
void for_each_index(std::size_t count, const std::stop_token& stop,
                    const std::function<void(std::size_t)>& work);

}  // namespace zkv::unlock
