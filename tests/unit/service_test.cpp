// The life of requests in the service: asking, deciding, releasing once, going away and coming back.
#include <algorithm>

#include "service_world.h"

namespace zkv::gateway {
namespace {

namespace asio = boost::asio;
using testing_world::ServiceTest;
using Outcome = Answer::Outcome;

TEST_F(ServiceTest, AnApprovalReleasesTheShareToItsOwnClientOnly) {
  start();
  auto first = ask();
  const auto first_told = sms_->next();
  auto second = ask();
  const auto second_told = sms_->next();

  ASSERT_TRUE(approve(second_told.request));
  const auto answer = await(std::move(second));
  EXPECT_EQ(answer.outcome, Outcome::kReleased);
  EXPECT_EQ(answer.request.text, second_told.request);
  ASSERT_NE(answer.share, nullptr);
  EXPECT_EQ(answer.share->view(), "the share of nas");
  EXPECT_EQ(request(first_told.request).state, State::kPending);

  ASSERT_TRUE(deny(first_told.request));
  const auto denied = await(std::move(first));
  EXPECT_EQ(denied.outcome, Outcome::kDenied);
  EXPECT_EQ(denied.share, nullptr);
}

TEST_F(ServiceTest, ASecondApprovalIsAConflictAndReleasesNothing) {
  start();
  auto client = ask();
  const auto told = sms_->next();
  ASSERT_TRUE(approve(told.request));
  const auto second = approve(told.request);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind(), ErrorKind::kConflict);
  EXPECT_EQ(await(std::move(client)).outcome, Outcome::kReleased);
  EXPECT_FALSE(approve(told.request));
  EXPECT_FALSE(deny(told.request));
  EXPECT_EQ(rows_of("request.release"), 1);
  EXPECT_EQ(vault_calls(), 1);
  service_->stop();
  const std::string noted =
      "SELECT COUNT(*) FROM zkv_audit WHERE kind = 'refused.decision' AND actor = 'console:uid 0' AND ";
  EXPECT_EQ(count(noted + "detail LIKE 'request " + told.request + " is already %'"), 1);
  EXPECT_EQ(count(noted + "detail LIKE '2 more since %'"), 1) << "many do not fill the log";
}

TEST_F(ServiceTest, WhoeverWinsARaceOfApprovalAndDenialTheClientHearsWhatTheStoreHolds) {
  start();
  for (int round = 0; round < 30; ++round) {
    auto client = ask();
    const auto told = sms_->next();
    auto approval = spawn(service_->approve({told.request}, "console:uid 0"));
    auto denial = spawn(service_->deny({told.request}, "console:uid 1", "no"));
    static_cast<void>(await(std::move(approval)));
    const bool denied = await(std::move(denial)).has_value();
    EXPECT_EQ(await(std::move(client)).outcome, denied ? Outcome::kDenied : Outcome::kReleased);
    EXPECT_EQ(request(told.request).state, denied ? State::kDenied : State::kReleased);
  }
}

TEST_F(ServiceTest, ADeliveredAnswerIsAcknowledged) {
  start();
  auto client = ask();
  ASSERT_TRUE(approve(sms_->next().request));
  const auto answer = await(std::move(client));
  service_->delivered(answer.request, true);
  EXPECT_EQ(request(answer.request.text).state, State::kAcknowledged);
}

TEST_F(ServiceTest, AnAnswerThatCouldNotBeWrittenIsNeverReleasedAgain) {
  start();
  auto client = ask("token");
  ASSERT_TRUE(approve(sms_->next().request));
  const auto answer = await(std::move(client));
  service_->delivered(answer.request, false);
  EXPECT_EQ(request(answer.request.text).state, State::kReleased);
  EXPECT_EQ(rows_of("request.undelivered"), 1);

  auto again = ask("token");
  const auto told = sms_->next();
  EXPECT_NE(told.request, answer.request.text) << "coming back makes a new request, for a new approval";
  ASSERT_TRUE(deny(told.request));
  EXPECT_EQ(await(std::move(again)).outcome, Outcome::kDenied);
  EXPECT_EQ(vault_calls(), 1);
}

TEST_F(ServiceTest, AClientWithoutATokenThatGoesAwayCancelsItsRequest) {
  start();
  asio::cancellation_signal cut;
  auto client = ask(cut);
  const auto told = sms_->next();
  emit(cut);
  EXPECT_EQ(await(std::move(client)).outcome, Outcome::kCancelled);
  EXPECT_EQ(request(told.request).state, State::kCancelled);
  EXPECT_EQ(approve(told.request).error().kind(), ErrorKind::kConflict);
  EXPECT_EQ(vault_calls(), 0);
}

TEST_F(ServiceTest, AnApprovalWhileTheClientIsAwayWaitsForItToComeBack) {
  start();
  asio::cancellation_signal cut;
  auto client = ask(cut, "token");
  const auto told = sms_->next();
  emit(cut);
  EXPECT_EQ(await(std::move(client)).outcome, Outcome::kCancelled);
  EXPECT_EQ(request(told.request).state, State::kPending);
  ASSERT_TRUE(approve(told.request));
  EXPECT_EQ(request(told.request).state, State::kApproved);
  EXPECT_EQ(vault_calls(), 0) << "nobody is there to take the share";

  const auto answer = await(ask("token"));
  EXPECT_EQ(answer.outcome, Outcome::kReleased);
  EXPECT_EQ(answer.request.text, told.request);
}

TEST_F(ServiceTest, AnotherTokenDoesNotGetTheRequestOfTheFirst) {
  start();
  auto owner = ask("token");
  const auto told = sms_->next();
  auto attacker = ask("another token");
  const auto other = sms_->next();
  EXPECT_NE(other.request, told.request);
  ASSERT_TRUE(approve(told.request));
  EXPECT_EQ(await(std::move(owner)).outcome, Outcome::kReleased);
  EXPECT_EQ(request(other.request).state, State::kPending);
  ASSERT_TRUE(deny(other.request));
  EXPECT_EQ(await(std::move(attacker)).share, nullptr);
}

TEST_F(ServiceTest, ANewerConnectionOfTheSameTokenTakesTheOlderOnesPlace) {
  start();
  auto older = ask("token");
  const auto told = sms_->next();
  auto newer = ask("token");
  EXPECT_EQ(await(std::move(older)).outcome, Outcome::kCancelled);
  ASSERT_TRUE(approve(told.request));
  EXPECT_EQ(await(std::move(newer)).outcome, Outcome::kReleased);
  EXPECT_EQ(rows_of("request.ask"), 1);
  EXPECT_EQ(rows_of("request.reattach"), 1);
}

TEST_F(ServiceTest, ATokenFromAnotherAddressIsShownAndLoggedAsFromThere) {
  start();
  auto older = ask_from("192.0.2.7", "token");
  const auto told = sms_->next();
  auto newer = ask_from("198.51.100.9", "token");
  EXPECT_EQ(await(std::move(older)).outcome, Outcome::kCancelled);
  EXPECT_EQ(request(told.request).address, "198.51.100.9");
  ASSERT_TRUE(approve(told.request));
  EXPECT_EQ(await(std::move(newer)).outcome, Outcome::kReleased);
  ASSERT_TRUE(await(service_->check()));
  EXPECT_EQ(
      text("SELECT GROUP_CONCAT(kind || ' ' || actor, ', ') FROM (SELECT * FROM zkv_audit WHERE request = '" +
           told.request +
           "' AND kind IN ('request.ask', 'request.address', 'request.approve') ORDER BY number)"),
      "request.ask 192.0.2.7, request.address 198.51.100.9, request.approve console:uid 0");
  EXPECT_EQ(text("SELECT request || ' ' || actor FROM zkv_audit WHERE kind = 'request.reattach'"),
            told.request + " 198.51.100.9");
}

TEST_F(ServiceTest, WhoeverComesAndGoesWithATokenWritesNoRowsUntilSomebodyDecides) {
  start();
  std::vector<std::future<Answer>> clients;
  clients.push_back(ask_from("192.0.2.1", "token"));
  const auto told = sms_->next();
  for (int i = 2; i < 100; ++i) {
    clients.push_back(ask_from("192.0.2." + std::to_string(i), "token"));
    await(std::move(clients[clients.size() - 2]));
  }
  EXPECT_LE(count("SELECT COUNT(*) FROM zkv_audit"), 70);
  EXPECT_EQ(rows_of("request.address"), 0);
  service_->stop();
  EXPECT_EQ(await(std::move(clients.back())).outcome, Outcome::kStopping);

  start();
  ASSERT_TRUE(approve(told.request));
  EXPECT_EQ(text("SELECT actor FROM zkv_audit WHERE kind = 'request.address'"), "192.0.2.99")
      << "after a restart, too";
  EXPECT_EQ(await(ask_from("192.0.2.1", "token")).outcome, Outcome::kReleased);
  EXPECT_EQ(
      text("SELECT GROUP_CONCAT(actor, ' ') FROM (SELECT actor FROM zkv_audit WHERE kind = 'request.address' "
           "ORDER BY number)"),
      "192.0.2.99 192.0.2.1")
      << "approved for the one, handed to the other";
}

TEST_F(ServiceTest, ADeniedTokenIsDeniedAgainWithoutAskingAnybody) {
  start();
  auto client = ask("token");
  ASSERT_TRUE(deny(sms_->next().request));
  EXPECT_EQ(await(std::move(client)).outcome, Outcome::kDenied);
  EXPECT_EQ(await(ask("token")).outcome, Outcome::kDenied);
  EXPECT_TRUE(sms_->is_empty());
}

TEST_F(ServiceTest, AfterARestartAClientWithATokenFindsItsRequestAndThePinStillFits) {
  start();
  auto client = ask("token");
  const auto told = sms_->next();
  service_->stop();
  EXPECT_EQ(await(std::move(client)).outcome, Outcome::kStopping);

  start();
  EXPECT_EQ(request(told.request).state, State::kPending);
  auto again = ask("token");
  EXPECT_EQ(pin(told.pin), PinOutcome::kApproved);
  const auto answer = await(std::move(again));
  EXPECT_EQ(answer.outcome, Outcome::kReleased);
  EXPECT_EQ(answer.request.text, told.request);
}

TEST_F(ServiceTest, WhatACrashLeftOpenIsSettledAtTheNextStart) {
  const auto insert = [this](const std::string& id, std::chrono::seconds expiry, bool token) {
    Request left;
    left.id = {id};
    left.created_at = now();
    left.expires_at = now() + expiry;
    if (token) left.token_hash = Bytes(32, 1);
    ASSERT_TRUE(Store::open(path_).value()->insert(left));
  };
  insert("WITHOUT", std::chrono::seconds(60), false);
  insert("WITH", std::chrono::seconds(60), true);
  insert("EXPIRED", std::chrono::seconds(-1), true);
  start();
  EXPECT_EQ(request("WITHOUT").state, State::kCancelled);
  EXPECT_EQ(request("WITH").state, State::kPending);
  EXPECT_EQ(request("EXPIRED").state, State::kExpired);
}

TEST_F(ServiceTest, WhatEndedIsKeptForAWeek) {
  const auto insert = [this](const std::string& id, State state, int days) {
    Request old;
    old.id = {id};
    old.state = state;
    old.created_at = now() - std::chrono::hours(24 * days);
    old.expires_at = now() + std::chrono::hours(1);
    old.token_hash = Bytes(32, 1);
    ASSERT_TRUE(Store::open(path_).value()->insert(old));
  };
  insert("EIGHT", State::kDenied, 8);
  insert("RELEASED", State::kReleased, 8);
  insert("SIX", State::kDenied, 6);
  insert("PENDING", State::kPending, 8);
  start();
  std::vector<std::string> ids;
  const auto kept = await(service_->history({}));
  for (const auto& card : kept.value().cards) ids.push_back(card.request.id.text);
  EXPECT_THAT(ids, testing::UnorderedElementsAre("SIX", "PENDING"));
}

TEST_F(ServiceTest, ARequestThatNobodyDecidesExpiresAndItsClientIsTold) {
  options_.max_wait = std::chrono::seconds(1);
  start();
  auto client = ask();
  const auto told = sms_->next();
  EXPECT_EQ(await(std::move(client)).outcome, Outcome::kExpired);
  EXPECT_EQ(request(told.request).state, State::kExpired);
  const auto late = approve(told.request);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().kind(), ErrorKind::kConflict);
}

TEST_F(ServiceTest, AllThatArePendingAreApprovedAtOnceWithOneVaultCall) {
  constexpr int kClients = 200;
  start();
  std::vector<std::future<Answer>> clients;
  for (int i = 0; i < kClients; ++i) clients.push_back(ask());
  for (int i = 0; i < kClients; ++i) static_cast<void>(console_->next());
  hold_vault(true);
  EXPECT_EQ(await(service_->approve_all("console:uid 0")), static_cast<std::size_t>(kClients));
  hold_vault(false);
  for (auto& client : clients) EXPECT_EQ(await(std::move(client)).outcome, Outcome::kReleased);
  EXPECT_EQ(vault_calls(), 1);
  EXPECT_EQ(rows_of("request.release"), kClients);
}

TEST_F(ServiceTest, TheListShowsOpenRequestsAndEndedOnesWhenAsked) {
  start();
  auto first = ask();
  const auto ended = sms_->next();
  ASSERT_TRUE(deny(ended.request));
  auto second = ask();
  const auto open = sms_->next();
  const auto listed = await(service_->open_requests()).value();
  ASSERT_EQ(listed.cards.size(), 1U);
  EXPECT_EQ(listed.cards[0].request.id.text, open.request);
  const auto newest = await(service_->history({.limit = 1, .before = {}})).value();
  ASSERT_EQ(newest.cards.size(), 1U);
  EXPECT_EQ(newest.cards[0].request.id.text, open.request);
  EXPECT_TRUE(newest.has_more);
  const auto older = await(service_->history({.limit = 1, .before = newest.cards[0].request.id})).value();
  ASSERT_EQ(older.cards.size(), 1U);
  EXPECT_EQ(older.cards[0].request.id.text, ended.request);
  EXPECT_FALSE(older.has_more);
  EXPECT_TRUE(await(service_->history({.limit = 9, .before = RequestId{"NOPE"}}))->cards.empty());
  EXPECT_EQ(await(service_->request({"NOPE"})).error().kind(), ErrorKind::kNotFound);
  ASSERT_TRUE(deny(open.request));
  static_cast<void>(await(std::move(first)));
  static_cast<void>(await(std::move(second)));
}

TEST_F(ServiceTest, StoppingAnswersAllWhoWaitAndKeepsTheRequestsOfThoseWithATokenPending) {
  constexpr int kClients = 100;
  start();
  std::vector<std::future<Answer>> clients;
  for (int i = 0; i < kClients; ++i) {
    clients.push_back(i % 2 == 0 ? ask() : ask("token " + std::to_string(i)));
  }
  for (int i = 0; i < kClients; ++i) static_cast<void>(console_->next());
  service_->stop();
  for (auto& client : clients) EXPECT_EQ(await(std::move(client)).outcome, Outcome::kStopping);
  EXPECT_EQ(count("SELECT COUNT(*) FROM zkv_request WHERE state = 'cancelled'"), kClients / 2);
  EXPECT_EQ(count("SELECT COUNT(*) FROM zkv_request WHERE state = 'pending'"), kClients / 2);
}

TEST_F(ServiceTest, AfterTheStopEveryCallSaysSo) {
  start();
  service_->stop();
  EXPECT_EQ(await(ask()).outcome, Outcome::kStopping);
  EXPECT_EQ(approve("ANY").error().kind(), ErrorKind::kInterrupted);
  EXPECT_EQ(await(service_->check()).error().kind(), ErrorKind::kInterrupted);
  service_->delivered({"ANY"}, true);
  service_->note_refusal("refused.late", "192.0.2.9", "");
  service_->stop();
  EXPECT_EQ(rows_of("gateway.stop"), 1);
}

TEST_F(ServiceTest, AsksBeyondTheLimitAreTurnedAwayAndThePendingOnesStay) {
  options_.asks_limit = 2;
  start();
  auto first = ask();
  auto second = ask();
  auto third = ask();
  EXPECT_EQ(await(std::move(third)).outcome, Outcome::kTooMany);
  EXPECT_EQ(await(service_->approve_all("console:uid 0")), 2U);
  EXPECT_EQ(await(std::move(first)).outcome, Outcome::kReleased);
  EXPECT_EQ(await(std::move(second)).outcome, Outcome::kReleased);
}

}  // namespace
}  // namespace zkv::gateway
