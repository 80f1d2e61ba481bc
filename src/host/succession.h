// New keys with a gateway: this machine enrols anew by an invite that its own approved request made, and
// takes its own place.
#pragma once

#include <stop_token>

#include "base/result.h"
#include "host/enrolment.h"
#include "host/gateway_client.h"

namespace zkv::host {

/// Tells the gateway that the new enrolment takes the place of its predecessor, whose share is destroyed
/// there, and forgets the predecessor. Until that was heard both are good for the gateway, and it can be said
/// again. Does nothing for an enrolment without a predecessor. Gives the enrolment as it is then. Errors:
/// kDenied (it is not heard), kUnavailable (not reached, or the vault failed), kInterrupted; those of
/// EnrolmentFolder.
Result<Enrolment> take_own_place(const EnrolmentFolder& folder, const Enrolment& enrolment,
                                 const EnrolmentKeys& keys, const Exchange& exchange,
                                 const std::stop_token& stop);

}  // namespace zkv::host
