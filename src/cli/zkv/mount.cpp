// `zkv mount`: gets the repository's key, opens all volumes with what it holds, and mounts them.
#include <functional>
#include <memory>
#include <optional>

#include "fetch_options.h"
#include "host/handover.h"
#include "host/stop_on_signal.h"
#include "key_input.h"
#include "mount_options.h"
#include "open_volumes.h"
#include "repository/repository.h"

namespace zkv::cli {

namespace {

struct MountOptions {
  GatewayOptions gateway{.addresses = {}, .timeout = 300, .ca_file = {}};
  KeyOptions key;
  OpenOptions open;
};

void add_mount_options(CLI::App& command, MountOptions& options) {
  add_gateway_options(command, options.gateway);
  add_tpm_option(command, options.gateway);
  add_key_options(command, options.key);
  add_open_options(command, options.open);
}

Error explain(Error error, bool is_from_gateway) {
  if (error.kind() != ErrorKind::kWrongKey || !is_from_gateway) return error;
  return std::move(error).remedy(
      "the gateway's vault holds a key that is not this repository's: put the right one there, "
      "or open it with the recovery key: zkv mount --key-file FILE");
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

/// As open_volumes(), with what to do when it is the gateway's key that does not fit.
ExitCode mount_with(repository::RepositoryKey key, const Session& session, const MountOptions& options,
                    const host::StopOnSignal& signals, const std::function<void()>& on_opened = {}) {
  return open_volumes({std::move(key), on_opened,
                       [&](Error error) { return explain(std::move(error), !options.key.given()); }},
                      session, options.open, signals);
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

/// With what the initramfs left, if it opens the repository: whoever approved there approved this.
std::optional<repository::RepositoryKey> handed_over(const Session& session) {
  auto key = host::take_handover();
  if (key && !repository::open(session.repository, *key)) key.reset();
  return key;
}

ExitCode mount(Session& session, const MountOptions& options) {
  const auto source = check_first(session, options);
  if (!source) {
    report(source.error());
    return source.error().kind() == ErrorKind::kInvalid ? ExitCode::kUsage : ExitCode::kFailed;
  }
  if (options.key.given()) return mount_by_given_key(session, options);
  if (auto key = handed_over(session)) {
    const host::StopOnSignal signals;
    return mount_with(std::move(*key), session, options, signals);
  }
  if (!source->addresses.empty()) return mount_by_gateway(session, options, source->addresses);
  return mount_by_enrolment(session, options, source->enrolments);
}

}  // namespace

void add_mount_commands(CLI::App& app, Session& session) {
  auto* command = app.add_subcommand("mount", "get the key from a gateway, open all volumes and mount them");
  auto options = std::make_shared<MountOptions>();
  add_mount_options(*command, *options);
  command->callback([options, &session] { session.exit_code = mount(session, *options); });
  add_unmount_command(app, session);
  add_lock_command(app, session);
}

}  // namespace zkv::cli
