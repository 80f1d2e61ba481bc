// Options, order and report of opening.
#include "open_volumes.h"

#include <cstdio>
#include <map>
#include <thread>
#include <utility>

#include "base/plain_text.h"
#include "fetch_options.h"
#include "host/boot.h"
#include "host/drift_record.h"
#include "host/service_notify.h"
#include "host/unlock_record.h"
#include "mount_options.h"
#include "mount_report.h"
#include "unlock/crypttab.h"
#include "unlock/registry.h"

namespace zkv::cli {

namespace {

host::MountOrder order_of(const Session& session, const OpenOptions& options) {
  return {.repository = session.repository,
          .only = {options.only.begin(), options.only.end()},
          .wants_mounts = !options.no_mount,
          .is_trial = options.dry_run};
}

void warn_of(const Result<>& kept) {
  if (!kept) static_cast<void>(std::fprintf(stderr, "zkv: warning: %s\n", kept.error().message().c_str()));
}

/// Of one volume, by place.
std::map<std::string, std::string> failed_mounts(const host::MountReport& report, const std::string& volume) {
  std::map<std::string, std::string> failed;
  for (const auto& mount : report.mounts) {
    const bool is_it = mount.volume == volume && mount.happened == unlock::MountHappened::kFailed;
    if (is_it && mount.mountpoint.starts_with('/')) failed[mount.mountpoint] = mount.detail;
  }
  return failed;
}

/// Times of unlocks are worth having, but no reason to call an unlock a failure.
void keep_record(const host::MountReport& report, const host::Unlockers& unlockers) {
  for (const auto& unlocker : unlockers) {
    std::vector<host::Tried> tried;
    for (const auto& volume : report.volumes) {
      if (volume.kind != unlocker->name()) continue;
      tried.push_back({volume.outcome, volume.settings, failed_mounts(report, volume.outcome.volume)});
    }
    if (tried.empty()) continue;
    warn_of(host::enter_into_record(host::default_record_path(), unlocker->name(), tried, now()));
  }
}

/// Side by side: each waits for the disk, and no caller waits for more than the slower.
void keep_both(const Session& session, const host::MountReport& report, bool is_whole,
               const host::Unlockers& unlockers) {
  const std::jthread recording([&] { keep_record(report, unlockers); });
  warn_of(keep_proofs(session, report, is_whole, unlockers));
}

ExitCode tell_outcome(const host::MountReport& outcome, const OpenOptions& options,
                      const host::StopOnSignal& signals) {
  if (const auto printed = print_report(outcome, options.json); !printed) return report(printed.error());
  if (signals.signal() != 0 && !outcome.is_complete()) return code_of_signal(signals.signal());
  return code_of_report(outcome);
}

void tell_of_wait(const std::vector<unlock::VolumeRef>& volumes, std::chrono::milliseconds most) {
  std::string line = "waiting for disks that are not there, ";
  line += std::to_string(std::chrono::ceil<std::chrono::seconds>(most).count()) + " s at most:";
  for (const auto& volume : volumes) {
    line += " " + plain_text(volume.name) + " (" + plain_text(volume.settings.device) + ")";
  }
  static_cast<void>(std::fprintf(stderr, "zkv: %s\n", line.c_str()));
  host::notify_status(line);
}

void tell_of_opening() { host::notify_status("opening volumes"); }

/// Where not all is open. The first of the reasons alone, so that the line stays one.
std::string status_of(const host::MountReport& outcome) {
  std::string names;
  for (const auto& failure : failures_of(outcome)) {
    names += names.empty() ? failure.name + " (" + failure.why + ")" : ", " + failure.name;
  }
  return "not everything is open and mounted" + (names.empty() ? "" : ": " + names);
}

/// A person's own opening hands out nothing.
void tell_who_serves(host::MountReport& report) {
  for (auto& volume : report.volumes) {
    if (volume.outcome.happened != unlock::Happened::kServed) continue;
    volume.outcome.detail =
        "by zfs-keyvault.service, as it was when that asked; if it was changed since: "
        "systemctl restart zfs-keyvault";
  }
}

}  // namespace

Result<> keep_proofs(const Session& session, const host::MountReport& report, bool is_whole,
                     const host::Unlockers& unlockers) {
  return host::change_drift_record(host::default_drift_path(), [&](host::DriftRecord& record) {
    if (host::belongs_to(record, session.repository))
      host::take_in(record, report, is_whole, unlockers, now());
  });
}

void add_opening_options(CLI::App& command, OpenOptions& options) {
  command.add_option("--only", options.only, "open only VOLUME; may be given several times")
      ->type_name("VOLUME")
      ->allow_extra_args(false);
  command.add_flag("--no-mount", options.no_mount, "load the keys, and mount nothing");
  add_via_option(command, options.via);
}

void add_open_options(CLI::App& command, OpenOptions& options) {
  add_opening_options(command, options);
  command.add_flag("--dry-run", options.dry_run, "only try whether each key would open its volume");
  command.add_flag("--json", options.json, "print the outcome as JSON");
}

unlock::Preparation prepare_opening(const OpenOptions& options) {
  return unlock::Preparation(zfs_options(options.via));
}

ExitCode open_volumes(Opening opening, unlock::Preparation& preparation, const Session& session,
                      const OpenOptions& options, const host::StopOnSignal& signals) {
  tell_of_opening();
  unlock::CryptOptions crypt{
      .on_check = host::notify_longer, .on_wait = tell_of_wait, .on_arrival = tell_of_opening};
  if (!opening.hand_over) crypt.in_crypttab = unlock::names_in_crypttab("/etc/crypttab");
  const auto unlockers = unlock::all_unlockers(
      {.zfs = zfs_options(options.via), .crypt = std::move(crypt), .hand_over = opening.hand_over});
  auto order = order_of(session, options);
  order.on_keys = [&](const repository::VolumeKeys& keys) {
    preparation.await();
    if (opening.on_keys) opening.on_keys(keys);
  };
  auto outcome = host::open_and_mount(order, std::move(opening.key), unlockers, signals.token());
  if (!outcome) {
    report_end(opening.explain(std::move(outcome).error()));
    return ExitCode::kFailed;
  }
  if (!opening.hand_over && !options.dry_run) tell_who_serves(*outcome);
  if (outcome->volumes.empty())
    static_cast<void>(std::fputs("zkv: the repository holds no volumes\n", stderr));
  auto code = tell_outcome(*outcome, options, signals);
  if (code != ExitCode::kDone) host::notify_status(status_of(*outcome));
  if (code == ExitCode::kDone && opening.on_done && !signals.token().stop_requested()) {
    if (const auto done = opening.on_done(); !done) code = report(done.error());
  }
  if (opening.on_opened) opening.on_opened();
  if (!options.dry_run) keep_both(session, *outcome, options.only.empty(), unlockers);
  return code;
}

}  // namespace zkv::cli
