// Asking a gateway that this host is enrolled with for its share, by signed requests of version 2.
#pragma once

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/secret_bytes.h"
#include "base/time.h"
#include "host/enrolment.h"
#include "host/gateway_client.h"
#include "protocol/messages.h"

namespace zkv::host {

/// What is asked for, the same of every gateway.
struct Plea {
  std::uint64_t generation = 0;      ///< of the repository
  std::vector<std::string> volumes;  ///< as far as they are known without a key
  protocol::Evidence evidence;
  std::string number;  ///< make_number()
  /// What is asked for is no share, but an approval of this machine's next boot, good for so long.
  std::optional<std::chrono::seconds> next_boot = std::nullopt;
  bool is_drill = false;  ///< the share is wanted to see whether a boot would succeed
  /// The approval is also to make an invite, by whose token of this hash the host enrols anew.
  std::optional<crypto::Sha256> successor = std::nullopt;
};

/// What one gateway gave.
struct Released {
  Enrolment enrolment;
  SecretBytes shares;  ///< both, as repository::join_shares makes them; empty for a next boot
  protocol::RequestHash request{};
  Time next_boot_until{};  ///< by this machine's clock, where that was asked for
};

/// Asks until the gateway has released its share, or approved the next boot. A request that a stop or the
/// deadline ends is cancelled at the gateway. After one that nobody decided it asks anew, without a deadline
/// only after a quarter of an hour. Errors: kUnsupported (the gateway is older than what is asked
/// for, and was not asked), kDenied (a person said no), kRefused (the gateway does not know this host; it is
/// not the gateway that was pinned), kPending (nobody decided in time), kUnavailable, kCorrupt, kInterrupted.
Result<Released> ask_enrolled_gateway(const Enrolment& enrolment, const EnrolmentKeys& keys, const Plea& plea,
                                      const AskOptions& options, const Exchange& exchange,
                                      const std::stop_token& stop);

struct TriedRequest {
  std::string id;                                        ///< as people see it
  std::optional<std::uint64_t> deciders = std::nullopt;  ///< people with a passkey; nothing: it does not say
};

/// Sends one request, and cancels it: whether identity, clock and gateway fit, without a release.
/// Errors: as ask_enrolled_gateway().
Result<TriedRequest> try_enrolled_gateway(const Enrolment& enrolment, const EnrolmentKeys& keys,
                                          const Plea& plea, const Exchange& exchange,
                                          const std::stop_token& stop);

/// Tells the gateway that its share did its work; a few tries, and no error: the release ends by itself.
void acknowledge(const Released& released, const EnrolmentKeys& keys, const Exchange& exchange);

}  // namespace zkv::host
