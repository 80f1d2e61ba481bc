// Work that blocks, on a small pool of threads: calls of vaults and channels.
#pragma once

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <mutex>
#include <utility>

namespace zkv::gateway {

class Errands {
 public:
  explicit Errands(std::size_t threads) : pool_(threads) {}

  /// From any thread. False after close(): `work` is not begun then. What was begun is finished.
  template <class Work>
  bool submit(Work work) {
    const std::lock_guard lock(mutex_);
    if (closed_) return false;
    boost::asio::post(pool_, std::move(work));
    return true;
  }

  /// Waits until all that was begun has ended.
  void close() {
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
    }
    pool_.join();
  }

 private:
  std::mutex mutex_;
  bool closed_ = false;
  boost::asio::thread_pool pool_;
};

}  // namespace zkv::gateway
