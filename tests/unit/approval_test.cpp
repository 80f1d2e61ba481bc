// What may happen to a request: every event in every state, spelled out, and random histories against the
// rules.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <random>
#include <set>

#include "gateway/approval/decide.h"

namespace zkv::gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Time kStart{milliseconds(1'700'000'000'000)};
constexpr Time kInTime = kStart + seconds(10);
constexpr Time kEnd = kStart + seconds(60);

constexpr std::array kStates{State::kPending, State::kApproved, State::kReleased,  State::kAcknowledged,
                             State::kDenied,  State::kExpired,  State::kCancelled, State::kSuperseded};

Request request_in(State state) {
  Request request;
  request.id = {"0123456789"};
  request.state = state;
  request.address = "192.0.2.7";
  request.created_at = kStart;
  request.expires_at = kEnd;
  return request;
}

Request with_token(Request request) {
  request.token_hash = Bytes(32, 7);
  return request;
}

std::string word_for(const Effect& effect) {
  static constexpr std::array<const char*, 4> kWords{"notify", "recover", "release", "answer"};
  return kWords[effect.index()];
}

/// "denied answer" for a move with its effects, "changed" for one within the state, "-" for nothing at all.
std::string describe(const Result<Decision>& decision, State before) {
  if (!decision) return decision.error().kind() == ErrorKind::kConflict ? "conflict" : "other error";
  std::string words;
  if (decision->next.state != before) words = to_text(decision->next.state);
  if (decision->changed && words.empty()) words = "changed";
  if (!decision->changed && !words.empty()) words += " (but not to be stored)";
  for (const auto& effect : decision->effects) words += (words.empty() ? "" : " ") + word_for(effect);
  return words.empty() ? "-" : words;
}

std::array<std::string, 8> outcomes(const Event& event, Time at, bool token = false) {
  std::array<std::string, 8> words;
  for (std::size_t i = 0; i < kStates.size(); ++i) {
    const auto request = token ? with_token(request_in(kStates[i])) : request_in(kStates[i]);
    words[i] = describe(decide(request, Policy{}, event, at), kStates[i]);
  }
  return words;
}

using Row = std::array<std::string, 8>;

TEST(Approval, EveryEventInEveryStateDoesWhatTheTableSays) {
  // clang-format off
  //                    pending              approved             released        acknowledged  denied       expired      cancelled    superseded
  EXPECT_EQ(outcomes(event::Approve{"a"}, kInTime),
            (Row{"approved recover",   "conflict",          "conflict",     "conflict",   "conflict",  "conflict",  "conflict",  "conflict"}));
  EXPECT_EQ(outcomes(event::Deny{"a", "no"}, kInTime),
            (Row{"denied answer",      "denied answer",     "conflict",     "conflict",   "conflict",  "conflict",  "conflict",  "conflict"}));
  EXPECT_EQ(outcomes(event::WrongPin{}, kInTime),
            (Row{"changed",            "-",                 "-",            "-",          "-",         "-",         "-",         "-"}));
  EXPECT_EQ(outcomes(event::ClientGone{}, kInTime),
            (Row{"cancelled",          "cancelled",         "-",            "-",          "-",         "-",         "-",         "-"}));
  EXPECT_EQ(outcomes(event::Reattached{}, kInTime),
            (Row{"-",                  "recover",           "answer",       "answer",     "answer",    "answer",    "answer",    "answer"}));
  EXPECT_EQ(outcomes(event::ShareRecovered{}, kInTime),
            (Row{"-",                  "released release",  "-",            "-",          "-",         "-",         "-",         "-"}));
  EXPECT_EQ(outcomes(event::ShareFailed{"down"}, kInTime),
            (Row{"-",                  "changed answer",    "-",            "-",          "-",         "-",         "-",         "-"}));
  EXPECT_EQ(outcomes(event::Acknowledged{}, kInTime),
            (Row{"-",                  "-",                 "acknowledged", "-",          "-",         "-",         "-",         "-"}));
  EXPECT_EQ(outcomes(event::TimePassed{}, kInTime),
            (Row{"-",                  "-",                 "-",            "-",          "-",         "-",         "-",         "-"}));
  EXPECT_EQ(outcomes(event::Cancel{"a", "why"}, kInTime),
            (Row{"cancelled answer",   "cancelled answer",  "conflict",     "conflict",   "conflict",  "conflict",  "conflict",  "conflict"}));
  EXPECT_EQ(outcomes(event::Supersede{{"B"}}, kInTime),
            (Row{"superseded answer",  "superseded answer", "conflict",     "conflict",   "conflict",  "conflict",  "conflict",  "conflict"}));
  // clang-format on
}

TEST(Approval, WhoComesBackFromAnotherAddressIsTheOneThatAsksNow) {
  const event::Reattached from_elsewhere{"198.51.100.9"};
  for (const auto state : {State::kPending, State::kApproved}) {
    const auto moved = decide(request_in(state), Policy{}, from_elsewhere, kInTime).value();
    EXPECT_TRUE(moved.changed);
    EXPECT_EQ(moved.next.address, "198.51.100.9");
    EXPECT_EQ(moved.next.state, state);
  }
  const auto denied = decide(request_in(State::kDenied), Policy{}, from_elsewhere, kInTime).value();
  EXPECT_FALSE(denied.changed);
  EXPECT_EQ(denied.next.address, "192.0.2.7") << "what was decided is about the one before";
}

TEST(Approval, EveryEventPastTheTimeExpiresWhatIsOpenAndDoesNothingElse) {
  // clang-format off
  //                    pending              approved             released        acknowledged  denied       expired      cancelled    superseded
  EXPECT_EQ(outcomes(event::Approve{"a"}, kEnd),
            (Row{"expired answer",     "expired answer",    "conflict",     "conflict",   "conflict",  "conflict",  "conflict",  "conflict"}));
  EXPECT_EQ(outcomes(event::Deny{"a", "no"}, kEnd),
            (Row{"expired answer",     "expired answer",    "conflict",     "conflict",   "conflict",  "conflict",  "conflict",  "conflict"}));
  EXPECT_EQ(outcomes(event::WrongPin{}, kEnd),
            (Row{"expired answer",     "expired answer",    "-",            "-",          "-",         "-",         "-",         "-"}));
  EXPECT_EQ(outcomes(event::ClientGone{}, kEnd),
            (Row{"expired answer",     "expired answer",    "-",            "-",          "-",         "-",         "-",         "-"}));
  EXPECT_EQ(outcomes(event::Reattached{}, kEnd),
            (Row{"expired answer",     "expired answer",    "answer",       "answer",     "answer",    "answer",    "answer",    "answer"}));
  EXPECT_EQ(outcomes(event::ShareRecovered{}, kEnd),
            (Row{"expired answer",     "expired answer",    "-",            "-",          "-",         "-",         "-",         "-"}));
  EXPECT_EQ(outcomes(event::ShareFailed{"down"}, kEnd),
            (Row{"expired answer",     "expired answer",    "-",            "-",          "-",         "-",         "-",         "-"}));
  EXPECT_EQ(outcomes(event::Acknowledged{}, kEnd),
            (Row{"expired answer",     "expired answer",    "acknowledged", "-",          "-",         "-",         "-",         "-"}));
  EXPECT_EQ(outcomes(event::TimePassed{}, kEnd),
            (Row{"expired answer",     "expired answer",    "-",            "-",          "-",         "-",         "-",         "-"}));
  EXPECT_EQ(outcomes(event::Cancel{"a", "why"}, kEnd),
            (Row{"expired answer",     "expired answer",    "conflict",     "conflict",   "conflict",  "conflict",  "conflict",  "conflict"}));
  EXPECT_EQ(outcomes(event::Supersede{{"B"}}, kEnd),
            (Row{"expired answer",     "expired answer",    "conflict",     "conflict",   "conflict",  "conflict",  "conflict",  "conflict"}));
  // clang-format on
}

TEST(Approval, AClientWithATokenMayGoAndComeBack) {
  EXPECT_EQ(outcomes(event::ClientGone{}, kInTime, true), (Row{"-", "-", "-", "-", "-", "-", "-", "-"}));
}

TEST(Approval, ANewRequestIsPendingAndItsApproversAreTold) {
  auto stained = request_in(State::kReleased);
  stained.wrong_pins = 2;
  stained.decided_by = "somebody";
  const auto decision = begin(stained);
  EXPECT_EQ(describe(decision, State::kReleased), "pending notify");
  EXPECT_EQ(decision.next.wrong_pins, 0U);
  EXPECT_EQ(decision.next.decided_by, "");
}

TEST(Approval, TheThirdWrongPinDeniesTheRequest) {
  auto request = request_in(State::kPending);
  request.wrong_pins = 1;
  const auto second = decide(request, Policy{}, event::WrongPin{}, kInTime);
  ASSERT_TRUE(second);
  EXPECT_EQ(describe(second, State::kPending), "changed");
  EXPECT_EQ(second->next.wrong_pins, 2U);

  const auto third = decide(second->next, Policy{}, event::WrongPin{}, kInTime);
  ASSERT_TRUE(third);
  EXPECT_EQ(describe(third, State::kPending), "denied answer");
  EXPECT_EQ(third->next.reason, "3 wrong PINs");
  EXPECT_EQ(third->next.decided_by, "gateway");
}

TEST(Approval, ADecisionKeepsWhoMadeItAndWhy) {
  const auto approved =
      decide(request_in(State::kPending), Policy{}, event::Approve{"console:uid 0"}, kInTime);
  ASSERT_TRUE(approved);
  EXPECT_EQ(approved->next.decided_by, "console:uid 0");
  const auto denied =
      decide(approved->next, Policy{}, event::Deny{"console:uid 1", "not my machine"}, kInTime);
  ASSERT_TRUE(denied);
  EXPECT_EQ(denied->next.decided_by, "console:uid 1");
  EXPECT_EQ(denied->next.reason, "not my machine");
}

TEST(Approval, AConflictTellsThePersonWhoWasFirst) {
  auto request = request_in(State::kDenied);
  request.decided_by = "sms:+15550100";
  const auto late = decide(request, Policy{}, event::Approve{"console:uid 0"}, kInTime);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().message(), "request 0123456789 is already denied by sms:+15550100");
  EXPECT_NE(late.error().remedy(), "");
}

TEST(Approval, AnApprovalInTheLastMomentLeavesTheVaultItsTime) {
  const auto approved =
      decide(request_in(State::kPending), Policy{}, event::Approve{"a"}, kEnd - milliseconds(1));
  ASSERT_TRUE(approved);
  EXPECT_EQ(approved->next.expires_at, kEnd - milliseconds(1) + seconds(60));
  const auto early =
      decide(request_in(State::kPending), Policy{.pin_tries = 3, .approval_stands = seconds(1)},
             event::Approve{"a"}, kInTime);
  ASSERT_TRUE(early);
  EXPECT_EQ(early->next.expires_at, kEnd) << "an approval never shortens a request";
}

TEST(Approval, AVaultFailureIsNotedAndForgottenWhenTheShareComesAfterAll) {
  const auto failed =
      decide(request_in(State::kApproved), Policy{}, event::ShareFailed{"vault is down"}, kInTime);
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->next.state, State::kApproved);
  EXPECT_EQ(failed->next.reason, "vault is down");
  const auto recovered = decide(failed->next, Policy{}, event::ShareRecovered{}, kInTime);
  ASSERT_TRUE(recovered);
  EXPECT_EQ(recovered->next.reason, "");
}

TEST(Approval, StatesKeepTheirNamesOnTheWayThroughText) {
  std::set<std::string_view> names;
  for (const auto state : kStates) {
    names.insert(to_text(state));
    EXPECT_EQ(state_from_text(to_text(state)), state);
  }
  EXPECT_EQ(names.size(), kStates.size());
  EXPECT_EQ(state_from_text("Pending"), std::nullopt);
  EXPECT_EQ(state_from_text(""), std::nullopt);
}

TEST(Approval, EventsHaveTheNamesThatTheAuditLogUses) {
  EXPECT_EQ(name_of(event::Approve{}), "approve");
  EXPECT_EQ(name_of(event::ShareFailed{}), "share-failed");
  EXPECT_EQ(name_of(event::Supersede{}), "supersede");
}

/// Lives through one random history and checks the rules after every step.
class History {
 public:
  explicit History(std::uint64_t seed) : random_(seed) {
    auto first = request_in(State::kPending);
    request_ = begin(below(2) == 0 ? with_token(first) : first).next;
  }

  void step() {
    const auto event = any_event();
    time_ += milliseconds(below(4'000));
    const Request before = request_;
    const auto decision = decide(before, policy_, event, time_);
    if (!decision) {
      EXPECT_EQ(decision.error().kind(), ErrorKind::kConflict);
      return;
    }
    check(before, event, *decision);
    request_ = decision->next;
  }

 private:
  std::uint32_t below(std::uint32_t bound) {
    return std::uniform_int_distribution<std::uint32_t>(0, bound - 1)(random_);
  }

  Event any_event() {
    const std::array<Event, 11> events{
        event::Approve{"a"}, event::Deny{"b", "no"},    event::WrongPin{},          event::ClientGone{},
        event::Reattached{}, event::ShareRecovered{},   event::ShareFailed{"down"}, event::Acknowledged{},
        event::TimePassed{}, event::Cancel{"c", "why"}, event::Supersede{{"B"}}};
    // Ends are drawn rarely, so that histories grow long.
    const auto drawn = below(40);
    return drawn < events.size() ? events[drawn] : events[2 + drawn % 5];
  }

  void check(const Request& before, const Event& event, const Decision& decision) {
    approved_ = approved_ || std::holds_alternative<event::Approve>(event);
    const bool releases =
        std::ranges::any_of(decision.effects, [](const Effect& e) { return e.index() == 2; });
    if (releases) {
      EXPECT_EQ(++releases_, 1) << "released a second time";
      EXPECT_TRUE(approved_) << "released without an approval";
      EXPECT_LT(time_, before.expires_at) << "released after its time";
      EXPECT_EQ(before.state, State::kApproved);
      EXPECT_EQ(decision.next.state, State::kReleased);
    }
    if (is_final(before.state) && decision.next.state != before.state) {
      EXPECT_EQ(before.state, State::kReleased);
      EXPECT_EQ(decision.next.state, State::kAcknowledged);
    }
    EXPECT_TRUE(decision.changed || decision.next.state == before.state);
    EXPECT_TRUE(decision.next.state != State::kPending || decision.next.wrong_pins < policy_.pin_tries);
    EXPECT_EQ(decision.next.id, before.id);
    EXPECT_EQ(decision.next.token_hash, before.token_hash);
  }

  std::mt19937_64 random_;
  Policy policy_;
  Request request_;
  Time time_ = kStart;
  bool approved_ = false;
  int releases_ = 0;
};

TEST(Approval, NoRandomHistoryBreaksARule) {
  for (std::uint64_t seed = 1; seed <= 4'000; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    History history(seed);
    for (int i = 0; i < 30; ++i) history.step();
    if (testing::Test::HasFailure()) break;
  }
}

}  // namespace
}  // namespace zkv::gateway
