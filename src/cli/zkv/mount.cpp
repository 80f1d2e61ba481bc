// `zkv mount`: gets the repository's key, opens all volumes with what it holds, and mounts them.
#include <cstdio>
#include <functional>
#include <memory>

#include "fetch_options.h"
#include "host/boot.h"
#include "host/service_notify.h"
#include "host/stop_on_signal.h"
#include "host/unlock_record.h"
#include "key_input.h"
#include "mount_options.h"
#include "mount_report.h"
#include "repository/repository.h"
#include "unlock/registry.h"

namespace zkv::cli {

namespace {

struct MountOptions {
  GatewayOptions gateway{.addresses = {}, .timeout = 300, .ca_file = {}};
  KeyOptions key;
  std::vector<std::string> only;
  bool no_mount = false;
  bool dry_run = false;
  bool json = false;
  std::string via = "auto";
};

void add_options(CLI::App& command, MountOptions& options) {
  add_gateway_options(command, options.gateway);
  add_tpm_option(command, options.gateway);
  add_key_options(command, options.key);
  command.add_option("--only", options.only, "open only VOLUME; may be given several times")
      ->type_name("VOLUME")
      ->allow_extra_args(false);
  command.add_flag("--no-mount", options.no_mount, "load the keys, and mount nothing");
  command.add_flag("--dry-run", options.dry_run, "only try whether each key would open its volume");
  command.add_flag("--json", options.json, "print the outcome as JSON");
  add_via_option(command, options.via);
}

host::MountOrder order_of(const Session& session, const MountOptions& options) {
  return {.repository = session.repository,
          .only = {options.only.begin(), options.only.end()},
          .wants_mounts = !options.no_mount,
          .is_trial = options.dry_run};
}

Error explain(Error error, bool is_from_gateway) {
  if (error.kind() != ErrorKind::kWrongKey || !is_from_gateway) return error;
  return std::move(error).remedy(
      "the gateway's vault holds a key that is not this repository's: put the right one there, "
      "or open it with the recovery key: zkv mount --key-file FILE");
}

/// Times of unlocks are worth having, but no reason to call an unlock a failure.
void keep_record(const host::MountReport& report, const host::Unlockers& unlockers) {
  for (const auto& unlocker : unlockers) {
    std::vector<host::Tried> tried;
    for (const auto& volume : report.volumes) {
      if (volume.kind == unlocker->name()) tried.push_back({volume.outcome, volume.settings});
    }
    if (tried.empty()) continue;
    const auto kept = host::enter_into_record(host::default_record_path(), unlocker->name(), tried, now());
    if (!kept) static_cast<void>(std::fprintf(stderr, "zkv: warning: %s\n", kept.error().message().c_str()));
  }
}

/// Where the key comes from.
struct Source {
  std::vector<std::string> addresses;       ///< of gateways of the first protocol
  std::vector<host::Enrolment> enrolments;  ///< where no address is named
};

/// All that can be found wrong before a person is disturbed.
Result<Source> check_first(const Session& session, const MountOptions& options) {
  ZKV_CHECK(repository::format_of(session.repository));
  Source source;
  if (options.key.given()) return source;
  ZKV_TRY(source.addresses, gateway_addresses(options.gateway));
  if (!source.addresses.empty()) return source;
  ZKV_TRY(source.enrolments, host::EnrolmentFolder(session.repository).all());
  if (!source.enrolments.empty()) return source;
  return Error::invalid("no gateway is named, and this host is enrolled with none")
      .remedy("enrol it (zkv enroll LINK), or give a gateway's address, or set GATEWAY_URI");
}

/// From the key to mounted filesystems. `on_opened` is called once the repository has opened.
ExitCode mount_with(repository::RepositoryKey key, const Session& session, const MountOptions& options,
                    const host::StopOnSignal& signals, const std::function<void()>& on_opened = {}) {
  host::notify_status("opening volumes");
  const auto unlockers = unlock::all_unlockers({.zfs = zfs_options(options.via)});
  auto outcome = host::open_and_mount(order_of(session, options), std::move(key), unlockers, signals.token());
  if (!outcome) {
    report(explain(std::move(outcome).error(), !options.key.given()));
    return ExitCode::kFailed;
  }
  if (on_opened) on_opened();
  if (outcome->volumes.empty())
    static_cast<void>(std::fputs("zkv: the repository holds no volumes\n", stderr));
  if (!options.dry_run) keep_record(*outcome, unlockers);
  if (const auto printed = print_report(*outcome, options.json); !printed) return report(printed.error());
  if (signals.signal() != 0 && !outcome->is_complete()) return code_of_signal(signals.signal());
  return code_of_report(*outcome);
}

/// With the key that the command line names; while a person types it, signals do what they always do.
ExitCode mount_by_given_key(Session& session, const MountOptions& options) {
  auto key = read_repository_key(session, options.key);
  if (!key) return report(key.error());
  return mount_with({std::move(*key), std::nullopt}, session, options, host::StopOnSignal());
}

/// With the key that a person releases at a gateway.
ExitCode mount_by_gateway(const Session& session, const MountOptions& options,
                          const std::vector<std::string>& addresses) {
  const host::StopOnSignal signals;
  auto key = fetch_key(addresses, options.gateway, false, signals.token());
  if (!key && signals.signal() != 0) return code_of_signal(signals.signal());
  if (!key) return report(key.error());
  return mount_with({std::move(*key), std::nullopt}, session, options, signals);
}

/// With the shares of host and gateway together.
ExitCode mount_by_enrolment(const Session& session, const MountOptions& options,
                            const std::vector<host::Enrolment>& enrolments) {
  const host::StopOnSignal signals;
  auto released = fetch_shares(session.repository, enrolments, options.gateway, signals.token());
  if (!released && signals.signal() != 0) return code_of_signal(signals.signal());
  if (!released) return report(released.error());
  repository::RepositoryKey key{std::move(released->shares), released->enrolment.gateway};
  return mount_with(std::move(key), session, options, signals,
                    [&] { acknowledge(session.repository, *released, options.gateway); });
}

ExitCode mount(Session& session, const MountOptions& options) {
  const auto source = check_first(session, options);
  if (!source) {
    report(source.error());
    return source.error().kind() == ErrorKind::kInvalid ? ExitCode::kUsage : ExitCode::kFailed;
  }
  if (options.key.given()) return mount_by_given_key(session, options);
  if (!source->addresses.empty()) return mount_by_gateway(session, options, source->addresses);
  return mount_by_enrolment(session, options, source->enrolments);
}

}  // namespace

void add_mount_commands(CLI::App& app, Session& session) {
  auto* command = app.add_subcommand("mount", "get the key from a gateway, open all volumes and mount them");
  auto options = std::make_shared<MountOptions>();
  add_options(*command, *options);
  command->callback([options, &session] { session.exit_code = mount(session, *options); });
  add_unmount_command(app, session);
}

}  // namespace zkv::cli
