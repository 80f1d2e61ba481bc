// Who wants to be told by Web Push, as the channel asks for them and reports what became of it. The service
// is this: the channel knows no store.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "gateway/channel/push_sender.h"

namespace zkv::gateway {

/// What became of telling all of one request.
struct PushRound {
  RequestId request;
  std::size_t asked = 0;
  std::size_t told = 0;
  std::vector<std::string> failures;  ///< "HOST: why", one for each browser that was not told
};

/// Thread-safe; calls may block, so none is made on the service's own thread.
class PushAudience {
 public:
  virtual ~PushAudience() = default;

  /// Errors: kInterrupted (the gateway stops), those of the store.
  virtual Result<std::vector<PushAddressee>> addressees() = 0;
  /// Whether to try that letter again: its subscription stands and its request still waits for somebody.
  virtual bool still_wants(const PushLetter& letter) = 0;
  /// The last word on one letter.
  virtual void concluded(const PushLetter& letter, const PushAnswer& answer) = 0;
  virtual void concluded(const PushRound& round) = 0;
};

}  // namespace zkv::gateway
