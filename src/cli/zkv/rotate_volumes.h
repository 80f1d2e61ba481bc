// The half of `zkv rotate --volume-keys` that changes volumes.
#pragma once

#include "base/secret_bytes.h"
#include "commands.h"

namespace zkv::cli {

/// Whether a change of the volumes' keys was begun and is not done. Errors: those of repository::open().
Result<bool> is_volume_change_pending(const Session& session, const SecretBytes& key);

/// Says what breaks with the volumes' keys, and has a person agree, unless `yes`. Errors: kDenied (no),
/// kInvalid (there is nobody to ask).
Result<> confirm_volume_change(const Session& session, const SecretBytes& key, bool yes);

/// Begins the change unless it is `begun`, goes through all volumes, and prints what became of each. kPartly
/// where the same command is to be given again. Errors: those of repository::edit().
Result<ExitCode> change_volume_keys(const Session& session, const SecretBytes& key, bool begun);

}  // namespace zkv::cli
