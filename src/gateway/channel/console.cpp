// One line in the log for each request.
#include "gateway/channel/console.h"

#include <spdlog/spdlog.h>

#include "base/time.h"

namespace zkv::gateway {

namespace {

class ConsoleChannel : public Channel {
 public:
  [[nodiscard]] std::string description() const override { return "console"; }
  [[nodiscard]] bool wants_pin() const override { return false; }
  [[nodiscard]] bool is_console() const override { return true; }

  Result<> notify(const Notice& notice, const std::stop_token& /*stop*/) override {
    const auto host = notice.host.empty() ? std::string() : " of " + notice.host;
    spdlog::warn("{4}request {0}{1} from {2} waits for approval until {3}: zkvgateway request approve {0}",
                 notice.request.text, host, notice.address, zkv::to_text(notice.expires_at),
                 notice.is_drill ? "drill: " : "");
    return {};
  }
};

}  // namespace

Result<std::unique_ptr<Channel>> make_console_channel(ConsoleOptions /*options*/) {
  return std::make_unique<ConsoleChannel>();
}

}  // namespace zkv::gateway
