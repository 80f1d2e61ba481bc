// Requests as people are shown them.
#pragma once

#include <optional>

#include "base/result.h"
#include "gateway/approval/request.h"
#include "gateway/store/store.h"
#include "protocol/messages.h"

namespace zkv::gateway {

/// A request as people are shown it. The last three are there for an enrolled host's.
struct RequestCard {
  Request request;
  std::optional<Host> host;
  std::optional<protocol::RequestMessage> message;
  std::optional<HostAsk> ask;
};

/// On the ledger's thread, in a transaction. Errors: kCorrupt (what stands behind it is damaged).
Result<RequestCard> card_of(Store& store, const Request& request);

}  // namespace zkv::gateway
