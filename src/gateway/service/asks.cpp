// From an ask to a pending request with a client that waits for it.
#include "gateway/service/asks.h"

#include <fmt/format.h>

#include <algorithm>

#include "crypto/hash.h"
#include "gateway/service/pin.h"
#include "gateway/service/request_id.h"

namespace zkv::gateway {
namespace {

std::optional<Bytes> hash_of_token(const std::optional<std::string>& token) {
  if (!token) return std::nullopt;
  const auto hash = crypto::sha256(bytes_of(*token));
  return Bytes(hash.begin(), hash.end());
}

bool is_worth_coming_back_to(const Request& request) {
  return !is_final(request.state) || request.state == State::kDenied;
}

}  // namespace

Command Asks::ask(const std::shared_ptr<Ticket>& ticket, const Ask& ask) {
  auto entry = std::make_shared<Entry>();
  entry->address = printable(ask.address);
  entry->token_hash = hash_of_token(ask.token);
  return {
      [this, ticket, entry] { return enter(*ticket, *entry); },
      [this, ticket, entry](const Result<>& committed) {
        if (committed) return seat(ticket, *entry);
        ticket->answer({Answer::Outcome::kStopping, {}, nullptr});
      },
  };
}

Result<> Asks::enter(Ticket& ticket, Entry& entry) {
  ZKV_TRY(const bool is_back, reattach(ticket, entry));
  if (is_back) return {};
  if (!has_room(entry.address)) {
    entry.is_too_many = true;
    return {};
  }
  return open(ticket, entry);
}

bool Asks::has_room(const std::string& address) const {
  const auto& asks = desk_.asks();
  return asks.size() < options_.asks_limit && asks.of_network(address) < options_.asks_of_network_limit;
}

Result<bool> Asks::reattach(Ticket& ticket, Entry& entry) {
  if (!entry.token_hash) return false;
  ZKV_TRY(const auto known, desk_.store().find_by_token(*entry.token_hash));
  if (!known || !is_worth_coming_back_to(*known)) return false;
  ticket.request = known->id;
  note_("request.reattach", entry.address, known->id);
  ZKV_CHECK(desk_.apply(*known, event::Reattached{entry.address}, entry.address, entry.decisions));
  return true;
}

Result<> Asks::open(Ticket& ticket, Entry& entry) {
  ZKV_TRY(auto request, make_request(entry));
  // Known at once, so that the limits hold within a group, too; should the commit fail, the deadlines find
  // that there is no such request.
  desk_.deadlines().set(request.id, request.expires_at);
  desk_.asks().enter(request, is_told(entry.turn));
  ZKV_CHECK(desk_.open(request));
  ticket.request = request.id;
  entry.opened = std::move(request);
  return {};
}

Result<Request> Asks::make_request(Entry& entry) {
  Request request;
  request.id = random_request_id();
  request.address = entry.address;
  request.created_at = now();
  request.expires_at = request.created_at + options_.max_wait;
  request.token_hash = entry.token_hash;
  entry.turn = notices_.take_turn(request.address, request.created_at);
  if (entry.turn == Turn::kTaken) ZKV_CHECK(add_pin(request, entry));
  return request;
}

/// A PIN that no other pending request has. It also marks what people were told of, where no channel carries
/// it, so that the hour's messages are counted after a restart. When nearly all are taken the request goes
/// without one: it still can be approved at the console.
Result<> Asks::add_pin(Request& request, Entry& entry) {
  constexpr int kMostTries = 100;
  ZKV_TRY(const auto others, desk_.store().open_requests());
  for (int tries = 0; tries < kMostTries; ++tries) {
    auto pin = make_pin(options_.pin_length);
    const auto mac = mac_of_pin(options_.pin_key.span(), pin.view());
    const auto has_it = [&](const Request& other) { return equal_in_constant_time(other.pin_mac, *mac); };
    if (std::ranges::any_of(others.requests, has_it)) continue;
    request.pin_mac = *mac;
    entry.pin = std::move(pin);
    return {};
  }
  return desk_.note("notice.failed", request.id.text, "gateway",
                    "no PIN is free: too many requests are pending");
}

void Asks::seat(const std::shared_ptr<Ticket>& ticket, const Entry& entry) {
  if (entry.is_too_many) return ticket->answer({Answer::Outcome::kTooMany, {}, nullptr});
  if (entry.opened) {
    desk_.watchers().wake(entry.opened->id);
    notices_.send(*entry.opened, entry.pin, entry.turn);
    notices_.tell_of_limit(*entry.opened, entry.turn);
  }
  if (ticket->gone) return ticket->answer({Answer::Outcome::kCancelled, ticket->request, nullptr});
  desk_.waiting().add(ticket);
  desk_.carry_out(entry.decisions);
}

Command Asks::client_gone(const std::shared_ptr<Ticket>& ticket) {
  auto decisions = std::make_shared<Decisions>();
  return {
      [this, ticket, decisions]() -> Result<> {
        if (ticket->is_answered()) return {};
        ticket->gone = true;
        if (ticket->request.text.empty()) return {};
        desk_.waiting().remove(*ticket);
        ZKV_TRY(const auto request, desk_.store().find(ticket->request));
        ZKV_CHECK(desk_.apply(request, event::ClientGone{}, request.address, *decisions));
        return {};
      },
      [this, ticket, decisions](const Result<>& committed) {
        if (committed) desk_.carry_out(*decisions);
        ticket->answer({Answer::Outcome::kCancelled, ticket->request, nullptr});
      },
  };
}

Command Asks::delivered(const RequestId& id, bool in_full) {
  auto decisions = std::make_shared<Decisions>();
  return {
      [this, id, in_full, decisions]() -> Result<> {
        if (!in_full) {
          return desk_.note("request.undelivered", id.text, "gateway",
                            "the answer could not be written in full");
        }
        ZKV_TRY(const auto request, desk_.store().find(id));
        ZKV_CHECK(desk_.apply(request, event::Acknowledged{}, request.address, *decisions));
        return {};
      },
      [this, decisions](const Result<>& committed) {
        if (committed) desk_.carry_out(*decisions);
      },
  };
}

}  // namespace zkv::gateway
