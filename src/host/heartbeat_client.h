// Telling a gateway that this host is there and what its drift guard found, and hearing what the gateway has.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "host/enrolment.h"
#include "host/gateway_client.h"
#include "protocol/heartbeat.h"

namespace zkv::host {

struct SignOfLife {
  std::string version;  ///< of zkv
  std::uint64_t generation = 0;
  std::vector<std::string> findings;  ///< all of them; as many as a message holds are sent
  /// Whether the gateway's certificate ends soon: a finding more.
  std::function<std::optional<std::string>(std::optional<Time> certificate_ends)> on_certificate = {};
};

/// What one gateway said, and how it looks from here.
struct GatewayHealth {
  protocol::ShareState share = protocol::ShareState::kUnknown;
  std::string why;                            ///< the share is not there, or not known to be
  std::optional<Time> share_expires = {};     ///< by the gateway's clock
  std::optional<Time> certificate_ends = {};  ///< of the TLS certificate that answered
};

/// Sends one heartbeat. The answer is believed only as far as the pinned key signed it for this very message.
/// Errors: kUnsupported (the gateway is older than heartbeats), kRefused (it does not know this host, or is
/// not the one that was pinned), kUnavailable, kCorrupt, kInterrupted.
Result<GatewayHealth> send_heartbeat(const Enrolment& enrolment, const EnrolmentKeys& keys,
                                     const SignOfLife& sign, const Exchange& exchange,
                                     const std::stop_token& stop);

}  // namespace zkv::host
