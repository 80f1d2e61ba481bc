// One runner for each gateway.
#include "host/gateway_race.h"

#include "host/race.h"

namespace zkv::host {

AskOptions one_voice(const AskOptions& options, std::mutex& speaking) {
  AskOptions shared = options;
  if (!options.say) return shared;
  shared.say = [say = options.say, &speaking](const std::string& line) {
    const std::lock_guard lock(speaking);
    say(line);
  };
  return shared;
}

Result<SecretBytes> ask_gateways(const std::vector<std::string>& addresses, const AskOptions& options,
                                 const Exchange& exchange, const std::stop_token& stop) {
  if (addresses.empty()) {
    return Error::invalid("no gateway is named").remedy("give its address, or set GATEWAY_URI");
  }
  const SecretBytes token = make_token();
  std::mutex speaking;
  const AskOptions shared = one_voice(options, speaking);
  std::vector<Runner<SecretBytes>> runners;
  runners.reserve(addresses.size());
  for (const auto& address : addresses) {
    runners.emplace_back([&](const std::stop_token& its_stop) {
      return ask_gateway(address, token, shared, exchange, its_stop);
    });
  }
  return race<SecretBytes>(runners, stop);
}

}  // namespace zkv::host
