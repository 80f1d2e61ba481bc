// Notices with their hourly limit. One that fails leaves the request pending: it is still at the console.
#include "gateway/service/notices.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/post.hpp>

namespace zkv::gateway {
namespace {

std::vector<std::shared_ptr<Channel>> shared(std::vector<std::unique_ptr<Channel>> channels) {
  return {std::make_move_iterator(channels.begin()), std::make_move_iterator(channels.end())};
}

}  // namespace

Notices::Notices(Desk& desk, Ledger& ledger, boost::asio::thread_pool& pool, const ServiceOptions& options,
                 std::vector<std::unique_ptr<Channel>> channels, std::stop_token stop)
    : desk_(desk),
      ledger_(ledger),
      pool_(pool),
      an_hour_(options.notices_an_hour),
      channels_(shared(std::move(channels))),
      stop_(std::move(stop)) {}

bool Notices::take_turn(Time now) {
  if (std::ranges::none_of(channels_, [](const auto& channel) { return channel->wants_pin(); })) return false;
  while (!turns_.empty() && turns_.front() + std::chrono::hours(1) <= now) turns_.pop_front();
  if (turns_.size() >= an_hour_) return false;
  turns_.push_back(now);
  return true;
}

void Notices::send(const Request& request, const SecretBytes& pin) {
  for (const auto& channel : channels_) {
    if (channel->wants_pin() && pin.empty()) continue;
    auto its_pin = channel->wants_pin() ? pin.clone() : SecretBytes();
    send(channel, {request.id, request.address, std::move(its_pin), request.expires_at});
  }
}

void Notices::send(const std::shared_ptr<Channel>& channel, Notice notice) {
  boost::asio::post(pool_, [this, channel, notice = std::move(notice)] {
    const auto sent = channel->notify(notice, stop_);
    ledger_.submit(outcome(notice.request, *channel, sent));
  });
}

Command Notices::outcome(const RequestId& request, const Channel& channel, const Result<>& sent) {
  const std::string kind = sent ? "notice.sent" : "notice.failed";
  const std::string detail =
      sent ? channel.description() : fmt::format("{}: {}", channel.description(), sent.error().message());
  return {[this, kind, request, detail] { return desk_.note(kind, request.text, "gateway", detail); },
          [](const Result<>&) {}};
}

}  // namespace zkv::gateway
