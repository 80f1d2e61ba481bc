// The only code that moves a request from one state to another: one function for each event.
#include "gateway/approval/decide.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace zkv::gateway {
namespace {

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};
template <class... F>
Overloaded(F...) -> Overloaded<F...>;

Decision unchanged(const Request& request) { return {request, {}, false}; }

Decision moved(Request request, State state, std::vector<Effect> effects) {
  request.state = state;
  return {std::move(request), std::move(effects), true};
}

/// Ends a request by somebody's decision; whoever waits for it is told.
Decision ended(Request request, State state, std::string by, std::string reason) {
  request.decided_by = std::move(by);
  request.reason = std::move(reason);
  return moved(std::move(request), state, {effect::Answer{}});
}

Decision expired(Request request) {
  request.reason =
      request.state == State::kPending ? "nobody decided in time" : "it was not released in time";
  return moved(std::move(request), State::kExpired, {effect::Answer{}});
}

Error too_late(const Request& request) {
  const auto by = request.decided_by.empty() ? std::string() : fmt::format(" by {}", request.decided_by);
  return Error::conflict(
             fmt::format("request {} is already {}{}", request.id.text, to_text(request.state), by))
      .remedy("'zkvgateway request list' shows the requests that are still open");
}

/// What happens to one request that is pending or approved and not past its time.
class Decider {
 public:
  Decider(const Request& request, const Policy& policy, Time now)
      : request_(request), policy_(policy), now_(now) {}

  Result<Decision> operator()(const event::Approve& approve) const {
    if (!is_pending()) return too_late(request_);
    Request next = request_;
    next.decided_by = approve.by;
    next.expires_at = std::max<Time>(next.expires_at, now_ + policy_.approval_stands);
    return moved(std::move(next), State::kApproved, {effect::RecoverShare{}});
  }

  Result<Decision> operator()(const event::Deny& deny) const {
    return ended(request_, State::kDenied, deny.by, deny.reason);
  }

  Result<Decision> operator()(const event::WrongPin& /*event*/) const {
    if (!is_pending()) return unchanged(request_);
    Request next = request_;
    ++next.wrong_pins;
    if (next.wrong_pins < policy_.pin_tries) return Decision{std::move(next), {}, true};
    const auto reason = fmt::format("{} wrong PINs", next.wrong_pins);
    return ended(std::move(next), State::kDenied, "gateway", reason);
  }

  Result<Decision> operator()(const event::ClientGone& /*event*/) const {
    if (request_.token_hash) return unchanged(request_);
    Request next = request_;
    next.reason = "the client went away";
    return moved(std::move(next), State::kCancelled, {});
  }

  Result<Decision> operator()(const event::Reattached& reattached) const {
    Decision decision = unchanged(request_);
    if (!reattached.from.empty()) decision.next.address = reattached.from;
    decision.changed = decision.next.address != request_.address;
    if (!is_pending()) decision.effects.emplace_back(effect::RecoverShare{});
    return decision;
  }

  Result<Decision> operator()(const event::ShareRecovered& /*event*/) const {
    if (is_pending()) return unchanged(request_);
    Request next = request_;
    next.reason.clear();
    return moved(std::move(next), State::kReleased, {effect::Release{}});
  }

  Result<Decision> operator()(const event::ShareFailed& failed) const {
    if (is_pending()) return unchanged(request_);
    Request next = request_;
    next.reason = failed.reason;
    return Decision{std::move(next), {effect::Answer{}}, true};
  }

  Result<Decision> operator()(const event::Acknowledged& /*event*/) const { return unchanged(request_); }
  Result<Decision> operator()(const event::TimePassed& /*event*/) const { return unchanged(request_); }

  Result<Decision> operator()(const event::Cancel& cancel) const {
    return ended(request_, State::kCancelled, cancel.by, cancel.reason);
  }

  Result<Decision> operator()(const event::Supersede& supersede) const {
    return ended(request_, State::kSuperseded, "gateway",
                 fmt::format("superseded by request {}", supersede.by.text));
  }

 private:
  [[nodiscard]] bool is_pending() const { return request_.state == State::kPending; }

  const Request& request_;
  const Policy& policy_;
  Time now_;
};

/// What happens to a request that has ended: only a released one goes on, to acknowledged.
Result<Decision> decide_ended(const Request& request, const Event& event) {
  return std::visit(Overloaded{
                        [&](const event::Acknowledged&) -> Result<Decision> {
                          if (request.state != State::kReleased) return unchanged(request);
                          return moved(request, State::kAcknowledged, {});
                        },
                        [&](const event::Reattached&) -> Result<Decision> {
                          return Decision{request, {effect::Answer{}}, false};
                        },
                        [&](const event::Approve&) -> Result<Decision> { return too_late(request); },
                        [&](const event::Deny&) -> Result<Decision> { return too_late(request); },
                        [&](const event::Cancel&) -> Result<Decision> { return too_late(request); },
                        [&](const event::Supersede&) -> Result<Decision> { return too_late(request); },
                        [&](const auto&) -> Result<Decision> { return unchanged(request); },
                    },
                    event);
}

}  // namespace

std::string_view name_of(const Event& event) {
  static constexpr std::array<std::string_view, std::variant_size_v<Event>> kNames{
      "approve",      "deny",        "wrong-pin",   "client-gone", "reattach", "share-recovered",
      "share-failed", "acknowledge", "time-passed", "cancel",      "supersede"};
  return kNames[event.index()];
}

Decision begin(Request request) {
  request.wrong_pins = 0;
  request.decided_by.clear();
  request.reason.clear();
  return moved(std::move(request), State::kPending, {effect::Notify{}});
}

Result<Decision> decide(const Request& request, const Policy& policy, const Event& event, Time now) {
  if (is_final(request.state)) return decide_ended(request, event);
  if (now >= request.expires_at) return expired(request);
  return std::visit(Decider(request, policy, now), event);
}

}  // namespace zkv::gateway
