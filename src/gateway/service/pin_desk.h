// PINs that come back: which request one approves, and how many may be wrong.
#pragma once

#include <string>

#include "gateway/service/desk.h"
#include "gateway/service/service.h"

namespace zkv::gateway {

/// On the ledger's thread, in a transaction.
class PinDesk {
 public:
  PinDesk(Desk& desk, const ServiceOptions& options) : desk_(desk), options_(options) {}

  /// See Service::receive_pin.
  Result<PinOutcome> receive(const std::string& digits, const std::string& message, const std::string& by,
                             Decisions& decisions);

 private:
  Result<PinOutcome> try_pin(const std::string& digits, const std::string& by, Decisions& decisions);
  Result<PinOutcome> approve(const Request& request, const std::string& by, Decisions& decisions);
  Result<PinOutcome> count_wrong(const std::vector<Request>& pending, const std::string& by,
                                 Decisions& decisions);

  Desk& desk_;
  const ServiceOptions& options_;
};

}  // namespace zkv::gateway
