// Making this machine a host of a gateway, and ending that.
#pragma once

#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>

#include "base/result.h"
#include "base/secret_bytes.h"
#include "host/enrolled_client.h"
#include "host/enrolment.h"
#include "host/gateway_client.h"
#include "protocol/invite_link.h"

namespace zkv::host {

struct EnrolOrder {
  std::filesystem::path repository;
  const SecretBytes& key;  ///< opens the repository
  const protocol::InviteLink& link;
  KeyPlace keys;  ///< an enrolment that was begun with keys elsewhere is not gone on from
  /// The older enrolment with the gateway is this one's predecessor: take_own_place() is to follow.
  bool succeeds = false;
};

/// Makes identity and shares, adds the gateway's slot to the repository, and sends the enrolment by the
/// link's invite. Killed or cut off at any moment, the repository opens as before, and the same link finishes
/// what was begun. An older enrolment with the same gateway stays until the new one stands, and then makes
/// way. Errors: those of the repository; kDenied (not the gateway that the link names; the invite is
/// refused), kUnavailable (not reached: the same link can be tried again), kUnsupported (the seed's format),
/// kInterrupted; those of tpm::Tpm.
Result<Enrolment> enrol(const EnrolOrder& order, const Exchange& exchange, const std::stop_token& stop);

/// Undoes an enrolment that was begun to succeed another and was not answered: its invite is known to nobody
/// any more. Removes stray keys. Success where there is none. Errors: those of the repository and of
/// EnrolmentFolder.
Result<> abandon_succession(const std::filesystem::path& repository, const SecretBytes& key);

/// Removes what an enrolment's predecessor has left here: slot, identity and local share. Idempotent. Errors:
/// those of the repository and of EnrolmentFolder.
Result<> forget_predecessor(const std::filesystem::path& repository, const SecretBytes& key,
                            const Enrolment& enrolment);

/// Forgets an enrolment: its slot, identity and local share. The gateway is not asked; there, it is revoked.
/// Errors: those of the repository and of EnrolmentFolder.
Result<> unenrol(const std::filesystem::path& repository, const SecretBytes& key, const Enrolment& enrolment);

/// What is told of this machine and its repository in a request. Errors: those of repository::describe().
Result<Plea> make_plea(const std::filesystem::path& repository);

}  // namespace zkv::host
