// Copies between the store's form and the channel's.
#include "gateway/service/push_text.h"

#include <algorithm>

#include "net/address.h"

namespace zkv::gateway {

PushAddressee addressee_of(const Subscription& subscription) {
  PushAddressee addressee{to_hex(subscription.id), to_hex(subscription.approver), {}};
  addressee.subscription.endpoint = subscription.endpoint;
  auto& [endpoint, key, auth] = addressee.subscription;
  std::copy_n(subscription.key.begin(), std::min(key.size(), subscription.key.size()), key.begin());
  std::copy_n(subscription.auth.begin(), std::min(auth.size(), subscription.auth.size()), auth.begin());
  return addressee;
}

std::string push_service_of(const std::string& endpoint) {
  const auto address = net::parse_address(endpoint);
  return address ? address->host : "?";
}

}  // namespace zkv::gateway
