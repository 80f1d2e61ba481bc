// What is kept of the repository elsewhere (host/renewed.h), seen to once for each change.
#pragma once

#include "commands.h"

namespace zkv::cli {

/// Runs the programs that renew copies if the repository or an enrolment changed since the session began or
/// this was last called. Whether all succeeded, as they do where nothing changed and for who is not root;
/// what failed is told.
bool renew_copies(Session& session);

}  // namespace zkv::cli
