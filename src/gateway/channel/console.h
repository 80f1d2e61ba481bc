// The channel for a person logged in at the gateway: a line in the log that says how to approve.
#pragma once

#include <memory>

#include "base/result.h"
#include "gateway/channel/channel.h"

namespace zkv::gateway {

struct ConsoleOptions {};

Result<std::unique_ptr<Channel>> make_console_channel(ConsoleOptions options = {});

}  // namespace zkv::gateway
