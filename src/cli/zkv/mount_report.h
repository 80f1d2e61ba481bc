// What `mount` and `unmount` tell: lines for people, JSON for programs, and the exit code.
#pragma once

#include <string>
#include <vector>

#include "commands.h"
#include "host/boot.h"

namespace zkv::cli {

/// What is not open, or not mounted.
struct Failure {
  std::string name;  ///< of the volume, or of a filesystem that lies in it
  std::string why;
  std::string remedy;
};
std::vector<Failure> failures_of(const host::MountReport& report);

/// Successes to stdout, then failures with their remedies to stderr; with `as_json` one object to stdout.
/// Errors: kIo.
Result<> print_report(const host::MountReport& report, bool as_json);

/// kDone when all is as it was asked for, kPartly when at least one volume is, else kFailed.
ExitCode code_of_report(const host::MountReport& report);

}  // namespace zkv::cli
