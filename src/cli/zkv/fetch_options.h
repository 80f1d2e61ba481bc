// How `fetch` and `mount` are told which gateways to ask, and the asking itself.
#pragma once

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/secret_bytes.h"
#include "commands.h"
#include "host/enrolled_client.h"
#include "host/enrolment.h"
#include "tpm/tpm.h"

namespace zkv::cli {

struct GatewayOptions {
  std::vector<std::string> addresses;  ///< from the command line; each may hold several, separated by spaces
  unsigned timeout = 0;                ///< seconds; 0: none
  std::string ca_file;
  bool allow_plain_http = false;
  std::string tpm = tpm::kDefaultDevice;  ///< where keys in a TPM are looked for
  std::chrono::seconds tpm_wait{0};       ///< for one that the system has not found yet
};

/// Long enough for the drivers of a booting machine.
inline constexpr std::chrono::seconds kTpmWaitAtBoot{30};

/// Adds [URI...], --timeout (whose default is what `options` holds), --cafile and --allow-plain-http.
void add_gateway_options(CLI::App& command, GatewayOptions& options);

/// The last two of them alone.
void add_trust_options(CLI::App& command, GatewayOptions& options);

/// Adds --tpm-device.
void add_tpm_option(CLI::App& command, GatewayOptions& options);

/// The addresses to ask: those given, else those of $GATEWAY_URI; there may be none. Errors: kInvalid (not an
/// address).
Result<std::vector<std::string>> gateway_addresses(const GatewayOptions& options);

/// Asks all addresses for the repository's key, and tells of progress on stderr and to the service manager.
/// Errors: as host::ask_gateways.
Result<SecretBytes> fetch_key(const std::vector<std::string>& addresses, const GatewayOptions& options,
                              bool ask_once, const std::stop_token& stop);

/// What is asked for beside or in place of a share: as in host::Plea.
struct Wish {
  std::optional<std::chrono::seconds> next_boot = std::nullopt;
  bool is_drill = false;
  std::optional<crypto::Sha256> successor = std::nullopt;
};

/// Asks all gateways that this host is enrolled with, each for its share, as fetch_key() does.
Result<host::Released> fetch_shares(const std::filesystem::path& repository,
                                    const std::vector<host::Enrolment>& enrolments,
                                    const GatewayOptions& options, const std::stop_token& stop,
                                    const Wish& wish = {});
/// Tells the gateway that its share opened the repository.
void acknowledge(const std::filesystem::path& repository, const host::Released& released,
                 const GatewayOptions& options);

/// How a gateway is reached whose certificate may be pinned.
host::Exchange exchange_with(const std::optional<crypto::Sha256>& certificate, const GatewayOptions& options);

/// The exit code for a signal that ended the work early.
ExitCode code_of_signal(int signal);

}  // namespace zkv::cli
