// `zkv fetch`: asks a gateway and prints the key, as the seed does.
#include <memory>

#include "fetch_options.h"
#include "host/stop_on_signal.h"
#include "output.h"

namespace zkv::cli {

namespace {

Result<> fetch(const GatewayOptions& options, const std::stop_token& stop) {
  ZKV_TRY(const auto addresses, gateway_addresses(options));
  if (addresses.empty()) {
    return Error::invalid("no gateway is named").remedy("give its address, or set GATEWAY_URI");
  }
  ZKV_TRY(const auto key, fetch_key(addresses, options, true, stop));
  Output output;
  output << key << "\n";
  return output.write();
}

}  // namespace

void add_fetch_command(CLI::App& app, Session& session) {
  auto* command = app.add_subcommand("fetch", "ask a gateway for the repository's key and print it");
  auto options = std::make_shared<GatewayOptions>();
  add_gateway_options(*command, *options);
  command->callback([options, &session] {
    const host::StopOnSignal signals;
    session.exit_code = finish(fetch(*options, signals.token()));
  });
}

}  // namespace zkv::cli
