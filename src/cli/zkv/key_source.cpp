// What is on the command line goes before what the initramfs left, that before a gateway's address, and that
// before enrolments.
#include "key_source.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "host/handover.h"
#include "repository/repository.h"

namespace zkv::cli {

namespace {

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
Result<Source> check_first(const Session& session, const KeySourceOptions& options) {
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

/// The opening by `key`, with what to do when it is the gateway's key that does not fit.
Opening opening_by(repository::RepositoryKey key, bool is_from_gateway,
                   std::function<void()> on_opened = {}) {
  return {.key = std::move(key), .on_opened = std::move(on_opened), .explain = [=](Error error) {
            return explain(std::move(error), is_from_gateway);
          }};
}

/// With the key that the command line names; while a person types it, signals do what they always do.
ExitCode by_given_key(Session& session, const KeySourceOptions& options, const UseKey& use) {
  auto key = read_repository_key(session, options.key);
  if (!key) return report_end(key.error());
  return use(opening_by({std::move(*key), std::nullopt}, false), host::StopOnSignal());
}

/// With the key that a person releases at a gateway.
ExitCode by_gateway(const KeySourceOptions& options, const std::vector<std::string>& addresses,
                    const UseKey& use) {
  const host::StopOnSignal signals;
  auto key = fetch_key(addresses, options.gateway, false, signals.token());
  if (!key && signals.signal() != 0) return code_of_signal(signals.signal());
  if (!key) return report_end(key.error());
  return use(opening_by({std::move(*key), std::nullopt}, true), signals);
}

/// With the shares of host and gateway together.
ExitCode by_enrolment(const Session& session, const KeySourceOptions& options,
                      const std::vector<host::Enrolment>& enrolments, const UseKey& use) {
  const host::StopOnSignal signals;
  auto released = fetch_shares(session.repository, enrolments, options.gateway, signals.token(),
                               {.is_drill = options.is_drill});
  if (!released && signals.signal() != 0) return code_of_signal(signals.signal());
  if (!released) return report_end(released.error());
  repository::RepositoryKey key{std::move(released->shares), released->enrolment.gateway};
  return use(
      opening_by(std::move(key), true, [&] { acknowledge(session.repository, *released, options.gateway); }),
      signals);
}

/// What the initramfs left, if it opens the repository: whoever approved there approved this.
std::optional<repository::RepositoryKey> handed_over(const Session& session) {
  auto key = host::take_handover();
  if (key && !repository::open(session.repository, *key)) key.reset();
  return key;
}

}  // namespace

void add_key_source_options(CLI::App& command, KeySourceOptions& options) {
  add_gateway_options(command, options.gateway);
  add_tpm_option(command, options.gateway);
  add_key_options(command, options.key);
}

ExitCode with_repository_key(Session& session, const KeySourceOptions& options, const UseKey& use) {
  const auto source = check_first(session, options);
  if (!source) {
    report_end(source.error());
    return source.error().kind() == ErrorKind::kInvalid ? ExitCode::kUsage : ExitCode::kFailed;
  }
  if (options.key.given()) return by_given_key(session, options, use);
  if (auto key = handed_over(session)) return use(opening_by(std::move(*key), false), host::StopOnSignal());
  if (!source->addresses.empty()) return by_gateway(options, source->addresses, use);
  return by_enrolment(session, options, source->enrolments, use);
}

}  // namespace zkv::cli
