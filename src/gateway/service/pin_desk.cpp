// One try of a PIN: replayed, refused for now, right, or wrong.
#include "gateway/service/pin_desk.h"

#include <fmt/format.h>

#include "gateway/service/pin.h"

namespace zkv::gateway {
namespace {

std::string_view to_text(PinOutcome outcome) {
  switch (outcome) {
    case PinOutcome::kApproved:
      return "approved";
    case PinOutcome::kUnknownPin:
      return "unknown-pin";
    case PinOutcome::kTooManyTries:
      return "too-many-tries";
  }
  return "unknown-pin";
}

/// Anything unknown, as from a newer program, is no approval.
PinOutcome outcome_from(std::string_view text) {
  if (text == to_text(PinOutcome::kApproved)) return PinOutcome::kApproved;
  if (text == to_text(PinOutcome::kTooManyTries)) return PinOutcome::kTooManyTries;
  return PinOutcome::kUnknownPin;
}

/// The pending request whose PIN fits, looked for without an early end.
const Request* owner_of(const std::optional<Bytes>& mac, const std::vector<Request>& requests) {
  const Request* owner = nullptr;
  if (!mac) return owner;
  for (const auto& request : requests) {
    const bool fits = equal_in_constant_time(request.pin_mac, *mac);
    if (fits && request.state == State::kPending) owner = &request;
  }
  return owner;
}

}  // namespace

Result<PinOutcome> PinDesk::receive(const std::string& digits, const std::string& message,
                                    const std::string& by, Decisions& decisions) {
  if (message.empty()) return try_pin(digits, by, decisions);
  ZKV_TRY(const auto known, desk_.store().message_outcome(message));
  if (known) {
    ZKV_CHECK(desk_.note("pin.replayed", "", by, fmt::format("message {} was seen before", message)));
    return outcome_from(*known);
  }
  ZKV_TRY(const auto outcome, try_pin(digits, by, decisions));
  ZKV_CHECK(desk_.store().remember_message(message, std::string(to_text(outcome)), now()));
  return outcome;
}

Result<PinOutcome> PinDesk::try_pin(const std::string& digits, const std::string& by, Decisions& decisions) {
  ZKV_TRY(const auto wrong, desk_.store().wrong_pins_since(now() - std::chrono::hours(1)));
  if (wrong >= options_.wrong_pins_an_hour) {
    ZKV_CHECK(desk_.note("pin.refused", "", by, fmt::format("{} wrong PINs within an hour", wrong)));
    return PinOutcome::kTooManyTries;
  }
  ZKV_TRY(const auto open, desk_.store().open_requests());
  const auto& requests = open.requests;
  const auto* owner = owner_of(mac_of_pin(options_.pin_key.span(), digits), requests);
  if (owner != nullptr && now() < owner->expires_at) return approve(*owner, by, decisions);
  return count_wrong(requests, by, decisions);
}

Result<PinOutcome> PinDesk::approve(const Request& request, const std::string& by, Decisions& decisions) {
  ZKV_TRY(const auto next, desk_.apply(request, event::Approve{by}, by, decisions));
  return next.state == State::kApproved ? PinOutcome::kApproved : PinOutcome::kUnknownPin;
}

Result<PinOutcome> PinDesk::count_wrong(const std::vector<Request>& pending, const std::string& by,
                                        Decisions& decisions) {
  ZKV_CHECK(desk_.store().add_wrong_pin(now()));
  ZKV_CHECK(desk_.note("pin.wrong", "", by, "it fits no pending request"));
  for (const auto& request : pending) ZKV_CHECK(desk_.apply(request, event::WrongPin{}, by, decisions));
  return PinOutcome::kUnknownPin;
}

}  // namespace zkv::gateway
