// The way to the gateways.
#include <algorithm>

#include "doctor/looks.h"
#include "net/address.h"

namespace zkv::doctor {

namespace {

constexpr std::chrono::hours kSoonEnds{24 * 14};

FoundList troubles(const Facts& facts, std::initializer_list<net::Obstacle> obstacles) {
  FoundList found;
  for (const auto& gateway : facts.gateways) {
    if (!gateway.trouble || std::ranges::count(obstacles, gateway.obstacle) == 0) continue;
    found.push_back({gateway.address, gateway.trouble->message(), gateway.trouble->remedy()});
  }
  return found;
}

}  // namespace

FoundList gateway_name(const Facts& facts) { return troubles(facts, {net::Obstacle::kName}); }

FoundList gateway_unreached(const Facts& facts) {
  return troubles(facts, {net::Obstacle::kRoute, net::Obstacle::kConnection});
}

FoundList gateway_untrusted(const Facts& facts) { return troubles(facts, {net::Obstacle::kTrust}); }

FoundList gateway_certificate_ends(const Facts& facts) {
  FoundList found;
  for (const auto& gateway : facts.gateways) {
    if (!gateway.certificate_ends || *gateway.certificate_ends > facts.now + kSoonEnds) continue;
    found.push_back({gateway.address,
                     "a certificate of its chain ends at " + to_text(*gateway.certificate_ends) +
                         ", and then no boot gets a key",
                     "renew it at the gateway; 'zkvgateway doctor' there looks at it too"});
  }
  return found;
}

FoundList gateway_refuses(const Facts& facts) {
  FoundList found;
  for (const auto& gateway : facts.gateways) {
    if (!gateway.refusal) continue;
    found.push_back({gateway.address, gateway.refusal->message(), gateway.refusal->remedy()});
  }
  return found;
}

FoundList gateway_asks_nobody(const Facts& facts) {
  FoundList found;
  for (const auto& gateway : facts.gateways) {
    if (gateway.deciders != 0) continue;
    found.push_back(
        {gateway.address,
         "the gateway takes this host's requests, and nobody there has a passkey to approve one with: "
         "it waits for its console",
         "for approval by phone, on the gateway: zkvgateway approver invite NAME"});
  }
  return found;
}

FoundList gateway_plain_http(const Facts& facts) {
  FoundList found;
  for (const auto& given : configured_gateways(facts)) {
    const auto address = net::parse_address(given);
    if (!address || address->is_secure() || address->is_loopback()) continue;
    found.push_back(
        {address->shown(), "the key would cross the network without encryption, and zkv refuses to ask",
         "write https:// in GATEWAY_URI of /etc/default/zfs-keyvault, or enrol: zkv enroll LINK"});
  }
  return found;
}

}  // namespace zkv::doctor
