// From words and environment to a race of gateways.
#include "fetch_options.h"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <sstream>

#include "host/gateway_race.h"
#include "host/service_notify.h"

namespace zkv::cli {

namespace {

void split_into(const std::string& text, std::vector<std::string>& words) {
  std::istringstream stream(text);
  for (std::string word; stream >> word;) words.push_back(word);
}

void say(const std::string& line) {
  static_cast<void>(std::fprintf(stderr, "zkv: %s\n", line.c_str()));
  host::notify_status(line);
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
  command.add_option("--cafile", options.ca_file, "trust the certificates in FILE (PEM) and no others")
      ->type_name("FILE");
  command.add_flag("--allow-plain-http", options.allow_plain_http,
                   "send and receive without encryption; otherwise only on this machine");
}

Result<std::vector<std::string>> gateway_addresses(const GatewayOptions& options) {
  std::vector<std::string> given;
  for (const auto& text : options.addresses) split_into(text, given);
  const char* from_environment = std::getenv("GATEWAY_URI");
  if (given.empty() && from_environment != nullptr) split_into(from_environment, given);
  if (given.empty()) {
    return Error::invalid("no gateway is named").remedy("give its address, or set GATEWAY_URI");
  }
  std::vector<std::string> addresses;
  for (const auto& text : given) {
    ZKV_TRY(auto address, host::request_address(text));
    addresses.push_back(std::move(address));
  }
  return addresses;
}

Result<SecretBytes> fetch_key(const std::vector<std::string>& addresses, const GatewayOptions& options,
                              bool ask_once, const std::stop_token& stop) {
  const net::HttpClient client(
      {.ca_file = options.ca_file, .unix_socket = {}, .allow_plain_http = options.allow_plain_http});
  host::AskOptions asking;
  asking.ask_once = ask_once;
  asking.say = say;
  if (options.timeout > 0) {
    asking.deadline = std::chrono::steady_clock::now() + std::chrono::seconds(options.timeout);
  }
  return host::ask_gateways(
      addresses, asking,
      [&](const net::HttpRequest& request, const std::stop_token& inner) {
        return client.send(request, inner);
      },
      stop);
}

ExitCode code_of_signal(int signal) {
  return signal == SIGTERM ? ExitCode::kTerminated : ExitCode::kInterrupted;
}

}  // namespace zkv::cli
