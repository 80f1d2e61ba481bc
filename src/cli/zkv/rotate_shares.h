// The part of `zkv rotate` that concerns gateways: their shares, and new ones in their place.
#pragma once

#include <memory>
#include <stop_token>
#include <vector>

#include "base/secret_bytes.h"
#include "commands.h"
#include "fetch_options.h"
#include "host/enrolment.h"

namespace zkv::cli {

/// What one gateway gave for a rotation.
struct RotatedShare {
  host::Released released;
  /// Of the invite by which this machine may enrol anew; none where its keys stay.
  std::optional<SecretBytes> token;
};

/// The shares of each gateway, one after the other: each wants somebody's approval. With `wants_new` the same
/// approval makes an invite for new ones, where the gateway knows how. Errors: those of
/// host::ask_enrolled_gateway(), naming the gateway.
Result<std::vector<RotatedShare>> ask_for_shares(const Session& session, const GatewayOptions& options,
                                                 const std::vector<host::Enrolment>& enrolments,
                                                 bool wants_new, const std::stop_token& stop);

/// Enrols anew with each gateway that made an invite, by `key`, which opens the repository as it is now.
/// Errors: those of host::enrol(), naming the gateway.
Result<> enrol_anew(const Session& session, const GatewayOptions& options, const SecretBytes& key,
                    const std::vector<RotatedShare>& shares, const std::stop_token& stop);

/// Whether an enrolment waits for its gateway to destroy its predecessor's share.
bool is_succession_pending(const std::vector<host::Enrolment>& enrolments);

/// Renews what is kept elsewhere, then has each gateway destroy the old share. Errors: those of
/// host::take_own_place(), naming the gateway; kIo where a copy could not be renewed, which may still need
/// the old share.
Result<> end_predecessors(Session& session, const GatewayOptions& options, const SecretBytes& key,
                          const std::stop_token& stop);

}  // namespace zkv::cli
