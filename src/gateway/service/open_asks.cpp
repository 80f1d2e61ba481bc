// Counts that follow the requests.
#include "gateway/service/open_asks.h"

#include <arpa/inet.h>

#include "base/encoding.h"

namespace zkv::gateway {
namespace {

constexpr std::size_t kIpv6Prefix = 6;

}  // namespace

std::string network_of(const std::string& address) {
  in_addr ipv4{};
  if (::inet_pton(AF_INET, address.c_str(), &ipv4) == 1) {
    return address.substr(0, address.rfind('.'));
  }
  in6_addr ipv6{};
  if (::inet_pton(AF_INET6, address.c_str(), &ipv6) != 1) return address;
  return to_hex(std::span(ipv6.s6_addr).first(kIpv6Prefix));
}

void OpenAsks::enter(const Request& request, bool is_told) {
  const auto [ask, is_new] =
      asks_.try_emplace(request.id.text, Ask{network_of(request.address), request.address, is_told});
  if (is_new) ++by_network_[ask->second.network];
}

void OpenAsks::leave(const RequestId& id) {
  const auto ask = asks_.find(id.text);
  if (ask == asks_.end()) return;
  const auto network = by_network_.find(ask->second.network);
  if (--network->second == 0) by_network_.erase(network);
  asks_.erase(ask);
}

void OpenAsks::tell(const Request& request) {
  const auto ask = asks_.find(request.id.text);
  if (ask == asks_.end()) return;
  ask->second.is_told = true;
  ask->second.address = request.address;
}

std::size_t OpenAsks::of_network(const std::string& address) const {
  const auto found = by_network_.find(network_of(address));
  return found == by_network_.end() ? 0 : found->second;
}

bool OpenAsks::is_untold(const RequestId& id) const {
  const auto* ask = find(id);
  return ask != nullptr && !ask->is_told;
}

const OpenAsks::Ask* OpenAsks::find(const RequestId& id) const {
  const auto ask = asks_.find(id.text);
  return ask == asks_.end() ? nullptr : &ask->second;
}

}  // namespace zkv::gateway
