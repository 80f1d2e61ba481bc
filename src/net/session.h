// Where connections live between exchanges: one libcurl multi handle for each exchange that runs at the same
// time.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "net/curl_library.h"

namespace zkv::net {

struct MultiCleanup {
  const CurlLibrary* curl;
  void operator()(CURLM* multi) const { curl->multi_cleanup(multi); }
};
/// A multi handle with its cache of open connections; used by one exchange at a time.
using Session = std::unique_ptr<CURLM, MultiCleanup>;

/// Thread-safe: hands out idle sessions so that their connections are used again.
class SessionPool {
 public:
  /// Errors: kInternal when libcurl has no memory.
  Result<Session> take(const CurlLibrary& curl);
  void give_back(Session session);

 private:
  static constexpr std::size_t kIdleLimit = 8;
  std::mutex mutex_;
  std::vector<Session> idle_;
};

}  // namespace zkv::net
