// Asking several gateways at once: a dead or slow one must not delay a live one.
#pragma once

#include <mutex>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/secret_bytes.h"
#include "host/gateway_client.h"

namespace zkv::host {

/// The same options, but only one thread speaks at a time. `speaking` outlives them.
AskOptions one_voice(const AskOptions& options, std::mutex& speaking);

/// Asks all `addresses` (as request_address makes them), one thread each, with one token. The first key wins;
/// a person's no ends all; otherwise it waits until each has ended. The others are stopped at once, and all
/// threads have ended on return. Errors: as ask_gateway; of several, the one that says most (kPending before
/// kUnavailable).
Result<SecretBytes> ask_gateways(const std::vector<std::string>& addresses, const AskOptions& options,
                                 const Exchange& exchange, const std::stop_token& stop);

}  // namespace zkv::host
