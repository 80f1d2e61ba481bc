// Names of what is under way, so that it is not begun a second time meanwhile.
#pragma once

#include <memory>
#include <mutex>
#include <set>
#include <string>

namespace zkv::gateway {

/// Thread-safe.
class UnderWay {
 public:
  /// Begins it, and ends it with the last copy of what is returned, which this outlives; null where it is
  /// under way already.
  [[nodiscard]] std::shared_ptr<const void> begin(const std::string& name) {
    {
      const std::lock_guard lock(mutex_);
      if (!names_.insert(name).second) return nullptr;
    }
    return std::shared_ptr<const void>(this, [this, name](const void*) { end(name); });
  }

 private:
  void end(const std::string& name) {
    const std::lock_guard lock(mutex_);
    names_.erase(name);
  }

  std::mutex mutex_;
  std::set<std::string> names_;
};

}  // namespace zkv::gateway
