// Notices with their hourly limit. One that fails leaves the request pending: it is still at the console.
#include "gateway/service/notices.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>

namespace zkv::gateway {
namespace {

constexpr std::size_t kShares = 3;  ///< one address gets one of so many shares of the hour's messages

/// What counts as one address: an IPv4 address, or the first 64 bits of an IPv6 one.
std::string asker_of(const std::string& address) {
  in6_addr ipv6{};
  if (::inet_pton(AF_INET6, address.c_str(), &ipv6) != 1) return address;
  return to_hex(std::span(ipv6.s6_addr).first(8));
}

std::vector<std::shared_ptr<Channel>> shared(std::vector<std::unique_ptr<Channel>> channels) {
  return {std::make_move_iterator(channels.begin()), std::make_move_iterator(channels.end())};
}

}  // namespace

Notices::Notices(Desk& desk, Ledger& ledger, Errands& errands, Errands& patient,
                 const ServiceOptions& options, std::vector<std::unique_ptr<Channel>> channels,
                 std::stop_token stop, Note note)
    : desk_(desk),
      ledger_(ledger),
      errands_(errands),
      patient_(patient),
      an_hour_(options.notices_an_hour),
      on_withheld_(options.on_notice_withheld),
      channels_(shared(std::move(channels))),
      stop_(std::move(stop)),
      note_(std::move(note)) {}

Result<> Notices::remember_turns(Time now) {
  ZKV_TRY(const auto told, desk_.store().with_pin_since(now - std::chrono::hours(1)));
  for (const auto& request : told.requests) turns_.push_back({request.created_at, asker_of(request.address)});
  return {};
}

std::size_t Notices::an_address() const { return std::max<std::size_t>(an_hour_ / kShares, 1); }

Turn Notices::take_turn(const std::string& address, Time now) {
  if (std::ranges::all_of(channels_, [](const auto& channel) { return channel->is_console(); })) {
    return Turn::kNone;
  }
  while (!turns_.empty() && turns_.front().at + std::chrono::hours(1) <= now) turns_.pop_front();
  if (turns_.size() >= an_hour_) return Turn::kHourUsedUp;
  const auto asker = asker_of(address);
  const auto spent = std::ranges::count(turns_, asker, &Sent::asker);
  if (static_cast<std::size_t>(spent) >= an_address()) return Turn::kAddressSpent;
  turns_.push_back({now, asker});
  return Turn::kTaken;
}

void Notices::tell_of_limit(const Request& request, Turn turn) {
  if (turn != Turn::kHourUsedUp && turn != Turn::kAddressSpent) return;
  const auto why = turn == Turn::kHourUsedUp
                       ? fmt::format("the {} messages of an hour are used up", an_hour_)
                       : fmt::format("its address has had the {} messages of its hour", an_address());
  note_("notice.withheld", request.address, fmt::format("request {}: {}", request.id.text, why));
  if (!on_withheld_) return;
  on_withheld_(Error::denied(fmt::format("no message was sent for request {} from {}: {}", request.id.text,
                                         request.address, why))
                   .remedy("decide it here: 'zkvgateway request approve' or 'deny'"));
}

void Notices::send(const Request& request, const SecretBytes& pin, Turn turn) {
  for (const auto& channel : channels_) {
    if (channel->wants_pin() && pin.empty()) continue;
    if (!is_told(turn) && !channel->is_console()) continue;
    auto its_pin = channel->wants_pin() ? pin.clone() : SecretBytes();
    send(channel, {request.id, {}, request.address, std::move(its_pin), request.expires_at}, is_told(turn));
  }
}

void Notices::send(const Request& request, const std::string& host, bool is_drill) {
  for (const auto& channel : channels_) {
    if (channel->wants_pin()) continue;
    send(channel, {request.id, host, request.address, {}, request.expires_at, is_drill}, true);
  }
}

void Notices::send(const std::shared_ptr<Channel>& channel, Notice notice, bool is_noted) {
  const bool is_quick = channel->is_console() || channel->reports_later();
  (is_quick ? errands_ : patient_).submit([this, channel, notice = std::move(notice), is_noted] {
    const auto sent = channel->notify(notice, stop_);
    if (sent && (channel->reports_later() || !is_noted)) return;
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
