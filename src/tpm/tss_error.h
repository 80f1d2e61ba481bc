// What a code of the TPM or of tpm2-tss means for a person.
#pragma once

#include <tss2/tss2_common.h>

#include <string>

#include "base/result.h"

namespace zkv::tpm {

/// Whether the same command may well succeed a little later.
bool is_passing(TSS2_RC code);

/// `doing` is what was tried, as in "making the key". Errors made: kUnavailable where time can help or the
/// TPM went away, kWrongKey for what another TPM made, kDenied where the TPM wants a password or its answer
/// is not its own, kIo otherwise.
Error error_of(TSS2_RC code, const std::string& doing);

/// What this TPM did not make.
Error of_another_tpm();

}  // namespace zkv::tpm
