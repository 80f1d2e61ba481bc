// The kinds of channel there are: one line for each.
#pragma once

#include <memory>
#include <variant>

#include "gateway/channel/channel.h"
#include "gateway/channel/console.h"
#include "gateway/channel/twilio.h"
#include "gateway/channel/web_push.h"

namespace zkv::gateway {

using ChannelOptions = std::variant<ConsoleOptions, TwilioOptions, WebPushChannelOptions>;

/// Errors: as the chosen kind's own maker.
Result<std::unique_ptr<Channel>> make_channel(ChannelOptions options);

}  // namespace zkv::gateway
