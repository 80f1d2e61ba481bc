// A subscription as the channel and people see it.
#pragma once

#include <string>

#include "gateway/channel/push_sender.h"
#include "gateway/store/push_store.h"

namespace zkv::gateway {

PushAddressee addressee_of(const Subscription& subscription);
/// The host of an endpoint: all of it that may be shown.
std::string push_service_of(const std::string& endpoint);

}  // namespace zkv::gateway
