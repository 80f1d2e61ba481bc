// Those who wait for a request to change, any number for each. On the ledger's thread only, but for the
// count.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>

#include "gateway/approval/request.h"
#include "gateway/service/completion.h"

namespace zkv::gateway {

/// One wait, ended once: by a change, or because whoever waits has gone.
class Watch {
 public:
  /// An empty `request` watches all of them.
  Watch(RequestId request, Completion<bool> completion)
      : request_(std::move(request)), completion_(std::move(completion)) {}

  [[nodiscard]] const RequestId& request() const { return request_; }
  void end(bool has_changed) { completion_(has_changed); }

 private:
  RequestId request_;
  Completion<bool> completion_;
};

class Watchers {
 public:
  void add(const std::shared_ptr<Watch>& watch);
  /// Ends `watch` without a change, if it is still there.
  void remove(const std::shared_ptr<Watch>& watch);
  /// Ends all that watch `request`, and all that watch everything.
  void wake(const RequestId& request);
  void wake_all();
  /// How often anything was woken so far, and one more. From any thread.
  [[nodiscard]] std::uint64_t changes() const { return changes_; }

 private:
  void wake_those_of(const std::string& request);

  std::atomic<std::uint64_t> changes_{1};
  std::unordered_multimap<std::string, std::shared_ptr<Watch>> by_request_;
};

}  // namespace zkv::gateway
