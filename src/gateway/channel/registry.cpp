// Which options make which channel.
#include "gateway/channel/registry.h"

#include <utility>

namespace zkv::gateway {

namespace {

Result<std::unique_ptr<Channel>> make(ConsoleOptions options) { return make_console_channel(options); }
Result<std::unique_ptr<Channel>> make(TwilioOptions options) {
  return make_twilio_channel(std::move(options));
}
Result<std::unique_ptr<Channel>> make(WebPushChannelOptions options) {
  return make_web_push_channel(std::move(options));
}

}  // namespace

Result<std::unique_ptr<Channel>> make_channel(ChannelOptions options) {
  return std::visit([](auto&& kind) { return make(std::forward<decltype(kind)>(kind)); }, std::move(options));
}

}  // namespace zkv::gateway
