// How a failure is told to a person, and the exit code of its kind.
#include <cstdio>

#include "base/plain_text.h"
#include "commands.h"
#include "host/service_notify.h"

namespace zkv::cli {

namespace {

ExitCode code_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kDenied:
    case ErrorKind::kRefused:
      return ExitCode::kDenied;
    case ErrorKind::kPending:
      return ExitCode::kUndecided;
    case ErrorKind::kUnavailable:
      return ExitCode::kUnavailable;
    case ErrorKind::kSuperseded:
      return ExitCode::kSuperseded;
    case ErrorKind::kInterrupted:
      return ExitCode::kInterrupted;
    default:
      return ExitCode::kFailed;
  }
}

}  // namespace

ExitCode report(const Error& error) {
  static_cast<void>(std::fprintf(stderr, "zkv: %s\n", plain_text(error.message()).c_str()));
  const auto remedy = plain_text(error.remedy());
  if (!remedy.empty()) static_cast<void>(std::fprintf(stderr, "     %s\n", remedy.c_str()));
  return code_of(error.kind());
}

ExitCode report_end(const Error& error) {
  host::notify_status(error.message());
  return report(error);
}

ExitCode finish(const Result<>& result) {
  if (result) return ExitCode::kDone;
  report(result.error());
  return ExitCode::kFailed;
}

}  // namespace zkv::cli
