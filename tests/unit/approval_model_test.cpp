// A million random histories of a request beside a model of it that is simple enough to be seen to be right.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>

#include "gateway/approval/decide.h"

namespace zkv::gateway {
namespace {

using std::chrono::milliseconds;

constexpr Time kBegin{milliseconds(1'700'000'000'000)};
constexpr int kHistories = 1'000'000;
constexpr int kSteps = 12;
/// Where in the variant each event stands.
enum Kind : std::size_t {
  kApprove,
  kDeny,
  kWrongPin,
  kClientGone,
  kReattached,
  kShareRecovered,
  kShareFailed,
  kAcknowledge,
  kTimePassed,
  kCancel,
  kSupersede,
  kKinds,
};

const std::array<Event, kKinds>& all_events() {
  static const std::array<Event, kKinds> kEvents{
      event::Approve{"a"}, event::Deny{"b", "no"},    event::WrongPin{},          event::ClientGone{},
      event::Reattached{}, event::ShareRecovered{},   event::ShareFailed{"down"}, event::Acknowledged{},
      event::TimePassed{}, event::Cancel{"c", "why"}, event::Supersede{{"B"}}};
  return kEvents;
}

/// The rules in as few words as they have.
struct Model {
  State state = State::kPending;
  Time expires;
  unsigned wrong_pins = 0;
  bool has_token = false;

  enum class Outcome { kRefused, kTaken, kReleased };

  Outcome step(Kind kind, const Policy& policy, Time now) {
    const bool is_open = state == State::kPending || state == State::kApproved;
    const bool is_persons = kind == kApprove || kind == kDeny || kind == kCancel || kind == kSupersede;
    if (!is_open) {
      if (kind == kAcknowledge && state == State::kReleased) state = State::kAcknowledged;
      return is_persons ? Outcome::kRefused : Outcome::kTaken;
    }
    if (now >= expires) {
      state = State::kExpired;
      return Outcome::kTaken;
    }
    return step_open(kind, policy, now);
  }

 private:
  Outcome step_open(Kind kind, const Policy& policy, Time now) {
    const bool is_pending = state == State::kPending;
    switch (kind) {
      case kApprove:
        if (!is_pending) return Outcome::kRefused;
        state = State::kApproved;
        expires = std::max<Time>(expires, now + policy.approval_stands);
        return Outcome::kTaken;
      case kWrongPin:
        if (is_pending && ++wrong_pins >= policy.pin_tries) state = State::kDenied;
        return Outcome::kTaken;
      case kClientGone:
        if (!has_token) state = State::kCancelled;
        return Outcome::kTaken;
      case kShareRecovered:
        if (is_pending) return Outcome::kTaken;
        state = State::kReleased;
        return Outcome::kReleased;
      case kDeny:
        state = State::kDenied;
        return Outcome::kTaken;
      case kCancel:
        state = State::kCancelled;
        return Outcome::kTaken;
      case kSupersede:
        state = State::kSuperseded;
        return Outcome::kTaken;
      default:
        return Outcome::kTaken;
    }
  }
};

/// One history; says where it left the model, or nothing.
std::string live(std::mt19937_64& random) {
  const Policy policy;
  Request request;
  request.id = {"A"};
  request.expires_at = kBegin + std::chrono::seconds(60);
  if (random() % 2 == 0) request.token_hash = Bytes{1};
  Model model{State::kPending, request.expires_at, 0, request.token_hash.has_value()};
  Time now = kBegin;
  int releases = 0;
  for (int i = 0; i < kSteps; ++i) {
    const auto kind = static_cast<Kind>(random() % kKinds);
    now += milliseconds(random() % 12'000);
    const auto decision = decide(request, policy, all_events()[kind], now);
    const auto expected = model.step(kind, policy, now);
    const auto at = [&](const std::string& what) {
      return "step " + std::to_string(i) + ", " + std::string(name_of(all_events()[kind])) + ": " + what;
    };
    if (decision.has_value() == (expected == Model::Outcome::kRefused)) return at("taken or refused");
    if (!decision) continue;
    const bool is_release = std::ranges::any_of(decision->effects, [](const Effect& effect) {
      return std::holds_alternative<effect::Release>(effect);
    });
    if (is_release != (expected == Model::Outcome::kReleased)) return at("release");
    if (is_release && ++releases > 1) return at("a second release");
    request = decision->next;
    if (request.state != model.state) return at("state " + std::string(to_text(request.state)));
    if (request.expires_at != model.expires && !is_final(request.state)) return at("expiry");
  }
  return {};
}

TEST(ApprovalModel, AMillionRandomHistoriesGoAsTheModelSays) {
  std::mt19937_64 random(20'260'701);
  for (int history = 0; history < kHistories; ++history) {
    const auto departure = live(random);
    ASSERT_EQ(departure, "") << "history " << history;
  }
}

}  // namespace
}  // namespace zkv::gateway
