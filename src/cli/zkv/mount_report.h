// What `mount` and `unmount` tell: lines for people, JSON for programs, and the exit code.
#pragma once

#include "commands.h"
#include "host/boot.h"

namespace zkv::cli {

/// Successes to stdout, failures with their remedies to stderr; with `as_json` one object to stdout. Errors:
/// kIo.
Result<> print_report(const host::MountReport& report, bool as_json);

/// kDone when all is as it was asked for, kPartly when at least one volume is, else kFailed.
ExitCode code_of_report(const host::MountReport& report);

}  // namespace zkv::cli
