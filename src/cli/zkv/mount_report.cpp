// Printing a MountReport.
#include "mount_report.h"

#include <fmt/format.h>

#include <cstdio>

#include "base/plain_text.h"
#include "output.h"

namespace zkv::cli {

namespace {

using unlock::Happened;
using unlock::MountHappened;

std::string_view sentence(Happened happened) {
  switch (happened) {
    case Happened::kOpened:
      return "opened";
    case Happened::kAlreadyOpen:
      return "open already";
    case Happened::kKeyFits:
      return "its key fits";
    case Happened::kUntried:
      return "its key was not tried";
    case Happened::kServed:
      return "served to the units that ask for it";
    case Happened::kClosed:
      return "closed";
    case Happened::kAlreadyClosed:
      return "closed already";
    case Happened::kInterrupted:
      return "not tried: interrupted";
    default:
      return "failed";
  }
}

std::string sentence(const unlock::MountOutcome& mount) {
  switch (mount.happened) {
    case MountHappened::kMounted:
      return "mounted at " + mount.mountpoint + (mount.detail.empty() ? "" : ": " + mount.detail);
    case MountHappened::kAlreadyMounted:
      return "mounted already at " + mount.mountpoint;
    case MountHappened::kUnmounted:
      return "unmounted from " + mount.mountpoint;
    case MountHappened::kSkipped:
      return "not to be mounted (" + mount.detail + ")";
    case MountHappened::kInterrupted:
      return "not mounted: interrupted";
    default:
      return "failed";
  }
}

std::string took(std::chrono::milliseconds time) {
  return time.count() == 0 ? "" : fmt::format(" ({:.2f} s)", static_cast<double>(time.count()) / 1000);
}

void complain(const std::string& name, const std::string& detail, const std::string& remedy) {
  static_cast<void>(
      std::fprintf(stderr, "zkv: %s: %s\n", plain_text(name).c_str(), plain_text(detail).c_str()));
  if (!remedy.empty()) static_cast<void>(std::fprintf(stderr, "     %s\n", plain_text(remedy).c_str()));
}

/// What failed comes last, where whoever looks at the end of a journal finds it.
Result<> print_lines(const host::MountReport& report) {
  Output output;
  for (const auto& [kind, outcome, settings] : report.volumes) {
    if (!unlock::is_success(outcome.happened)) continue;
    output << fmt::format("{}: {}{}{}\n", plain_text(outcome.volume), sentence(outcome.happened),
                          outcome.detail.empty() ? "" : ": " + plain_text(outcome.detail),
                          took(outcome.took));
  }
  for (const auto& mount : report.mounts) {
    if (!unlock::is_success(mount.happened)) continue;
    output << fmt::format("{}: {}\n", plain_text(mount.filesystem), plain_text(sentence(mount)));
  }
  auto written = output.write();
  for (const auto& failure : failures_of(report)) complain(failure.name, failure.why, failure.remedy);
  return written;
}

void add_volume(Output& output, const host::VolumeReport& volume) {
  output << "{\"volume\":";
  output.json(volume.outcome.volume) << ",\"kind\":";
  output.json(volume.kind) << ",\"result\":";
  output.json(unlock::to_text(volume.outcome.happened)) << ",\"detail\":";
  output.json(volume.outcome.detail) << ",\"remedy\":";
  output.json(volume.outcome.remedy) << fmt::format(",\"seconds\":{:.3f}}}",
                                                    static_cast<double>(volume.outcome.took.count()) / 1000);
}

void add_mount(Output& output, const unlock::MountOutcome& mount) {
  output << "{\"filesystem\":";
  output.json(mount.filesystem) << ",\"volume\":";
  output.json(mount.volume) << ",\"mountpoint\":";
  output.json(mount.mountpoint) << ",\"result\":";
  output.json(unlock::to_text(mount.happened)) << ",\"detail\":";
  output.json(mount.detail) << "}";
}

Result<> print_json(const host::MountReport& report) {
  Output output;
  output << "{\"volumes\":[";
  for (const auto& volume : report.volumes) {
    if (&volume != &report.volumes.front()) output << ",";
    add_volume(output, volume);
  }
  output << "],\"mounts\":[";
  for (const auto& mount : report.mounts) {
    if (&mount != &report.mounts.front()) output << ",";
    add_mount(output, mount);
  }
  output << "]}\n";
  return output.write();
}

}  // namespace

std::vector<Failure> failures_of(const host::MountReport& report) {
  std::vector<Failure> failures;
  for (const auto& [kind, outcome, settings] : report.volumes) {
    if (unlock::is_success(outcome.happened)) continue;
    failures.push_back({outcome.volume,
                        outcome.detail.empty() ? std::string(sentence(outcome.happened)) : outcome.detail,
                        outcome.remedy});
  }
  for (const auto& mount : report.mounts) {
    if (unlock::is_success(mount.happened)) continue;
    const bool is_device = mount.filesystem.starts_with('/');
    failures.push_back({is_device ? mount.volume : mount.filesystem,
                        mount.detail.empty() ? sentence(mount) : mount.detail,
                        {}});
  }
  return failures;
}

Result<> print_report(const host::MountReport& report, bool as_json) {
  for (const auto& warning : report.warnings) {
    static_cast<void>(std::fprintf(stderr, "zkv: warning: %s\n", warning.c_str()));
  }
  for (const auto& error : report.mount_errors) complain("mounting", error.message(), error.remedy());
  return as_json ? print_json(report) : print_lines(report);
}

ExitCode code_of_report(const host::MountReport& report) {
  if (report.is_complete()) return ExitCode::kDone;
  return report.opened() > 0 ? ExitCode::kPartly : ExitCode::kFailed;
}

}  // namespace zkv::cli
