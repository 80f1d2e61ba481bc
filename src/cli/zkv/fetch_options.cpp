// From words and environment to a race of gateways.
#include "fetch_options.h"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <sstream>

#include "host/drift.h"
#include "host/enroll.h"
#include "host/gateway_race.h"
#include "host/race.h"
#include "host/service_notify.h"
#include "repository/change.h"
#include "unlock/device_wait.h"

namespace zkv::cli {

namespace {

void split_into(const std::string& text, std::vector<std::string>& words) {
  std::istringstream stream(text);
  for (std::string word; stream >> word;) words.push_back(word);
}

/// `status` outlives what is returned.
host::AskOptions ask_options(const GatewayOptions& options, host::StatusClock& status) {
  host::AskOptions asking;
  asking.say = [&status](const std::string& line) {
    static_cast<void>(std::fprintf(stderr, "zkv: %s\n", line.c_str()));
    status.say(line);
  };
  if (options.timeout > 0) {
    asking.deadline = std::chrono::steady_clock::now() + std::chrono::seconds(options.timeout);
  }
  return asking;
}

/// Waits for the TPM that holds the keys of an enrolment, where it is a device that is not there.
Result<host::EnrolmentKeys> keys_of(const host::EnrolmentFolder& folder, const host::Enrolment& enrolment,
                                    const GatewayOptions& options, const host::AskOptions& asking,
                                    const std::stop_token& stop) {
  auto keys = folder.keys_of(enrolment, options.tpm);
  std::error_code failed;
  const bool is_late = !keys && enrolment.in_tpm && options.tpm_wait.count() > 0 &&
                       options.tpm.starts_with("/dev/") && !std::filesystem::exists(options.tpm, failed);
  if (!is_late) return keys;
  asking.say(keys.error().message() + " yet: waiting for it");
  unlock::await_devices({options.tpm}, "/dev", std::chrono::steady_clock::now() + options.tpm_wait, stop);
  return folder.keys_of(enrolment, options.tpm);
}

/// Nobody is disturbed for a share that opens nothing: those are told, and left out. Errors: kConflict where
/// none is left.
Result<std::vector<host::Enrolment>> those_that_fit(const std::filesystem::path& repository,
                                                    const std::vector<host::Enrolment>& enrolments) {
  ZKV_TRY(const auto description, repository::describe(repository));
  std::vector<host::Enrolment> fitting;
  std::vector<Error> misfits;
  for (const auto& enrolment : enrolments) {
    if (const auto misfit = host::misfit_of(enrolment, description)) {
      misfits.push_back(Error::conflict(misfit->text()).remedy(misfit->remedy));
    } else {
      fitting.push_back(enrolment);
    }
  }
  if (fitting.empty() && !misfits.empty()) return std::move(misfits.front()).context("nobody is asked");
  for (const auto& misfit : misfits) {
    static_cast<void>(std::fprintf(stderr, "zkv: warning: %s\n", misfit.message().c_str()));
  }
  return fitting;
}

}  // namespace

void add_gateway_options(CLI::App& command, GatewayOptions& options) {
  command
      .add_option("uri", options.addresses,
                  "addresses of gateways, all asked at once (default: $GATEWAY_URI)")
      ->type_name("URI");
  command.add_option("--timeout", options.timeout, "give up after SECONDS; 0: never")
      ->type_name("SECONDS")
      ->capture_default_str();
  add_trust_options(command, options);
}

void add_trust_options(CLI::App& command, GatewayOptions& options) {
  command.add_option("--cafile", options.ca_file, "trust the certificates in FILE (PEM) and no others")
      ->type_name("FILE");
  command.add_flag("--allow-plain-http", options.allow_plain_http,
                   "send and receive without encryption; otherwise only on this machine");
}

void add_tpm_option(CLI::App& command, GatewayOptions& options) {
  command
      .add_option("--tpm-device", options.tpm,
                  "the TPM: a device, or words for tpm2-tss as swtpm:host=localhost,port=2321")
      ->envname("ZKV_TPM_DEVICE")
      ->type_name("DEVICE")
      ->capture_default_str();
}

Result<std::vector<std::string>> gateway_addresses(const GatewayOptions& options) {
  std::vector<std::string> given;
  for (const auto& text : options.addresses) split_into(text, given);
  const char* from_environment = std::getenv("GATEWAY_URI");
  if (given.empty() && from_environment != nullptr) split_into(from_environment, given);
  std::vector<std::string> addresses;
  for (const auto& text : given) {
    ZKV_TRY(auto address, host::request_address(text));
    addresses.push_back(std::move(address));
  }
  return addresses;
}

host::Exchange exchange_with(const std::optional<crypto::Sha256>& certificate,
                             const GatewayOptions& options) {
  net::HttpOptions http;
  http.ca_file = options.ca_file;
  http.allow_plain_http = options.allow_plain_http;
  http.pinned_key = certificate;
  return [client = net::HttpClient(std::move(http))](const net::HttpRequest& request,
                                                     const std::stop_token& stop) {
    return client.send(request, stop);
  };
}

Result<SecretBytes> fetch_key(const std::vector<std::string>& addresses, const GatewayOptions& options,
                              bool ask_once, const std::stop_token& stop) {
  host::StatusClock status;
  auto asking = ask_options(options, status);
  asking.ask_once = ask_once;
  return host::ask_gateways(addresses, asking, exchange_with(std::nullopt, options), stop);
}

Result<host::Released> fetch_shares(const std::filesystem::path& repository,
                                    const std::vector<host::Enrolment>& enrolments,
                                    const GatewayOptions& options, const std::stop_token& stop,
                                    const Wish& wish) {
  ZKV_TRY(auto plea, host::make_plea(repository));
  plea.next_boot = wish.next_boot;
  plea.is_drill = wish.is_drill;
  plea.successor = wish.successor;
  ZKV_TRY(const auto fitting, those_that_fit(repository, enrolments));
  const host::EnrolmentFolder folder(repository);
  std::mutex speaking;
  host::StatusClock status;
  const auto asking = host::one_voice(ask_options(options, status), speaking);
  std::vector<host::Runner<host::Released>> runners;
  runners.reserve(fitting.size());
  for (const auto& enrolment : fitting) {
    runners.emplace_back([&](const std::stop_token& its_stop) -> Result<host::Released> {
      ZKV_TRY(const auto keys, keys_of(folder, enrolment, options, asking, its_stop));
      return host::ask_enrolled_gateway(enrolment, keys, plea, asking,
                                        exchange_with(enrolment.certificate, options), its_stop);
    });
  }
  return host::race<host::Released>(runners, stop);
}

void acknowledge(const std::filesystem::path& repository, const host::Released& released,
                 const GatewayOptions& options) {
  const auto keys = host::EnrolmentFolder(repository).keys_of(released.enrolment, options.tpm);
  if (!keys) return;
  host::acknowledge(released, *keys, exchange_with(released.enrolment.certificate, options));
}

ExitCode code_of_signal(int signal) {
  if (signal == SIGHUP) return ExitCode::kHungUp;
  return signal == SIGTERM ? ExitCode::kTerminated : ExitCode::kInterrupted;
}

}  // namespace zkv::cli
