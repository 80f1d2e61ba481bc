// An enrolled host before a real service: what it is answered, and what strangers cannot take from it.
#include "gateway/service/open_asks.h"
#include "host_world.h"

namespace zkv::gateway {
namespace {

using HostAsksTest = testing_world::HostServiceTest;

TEST_F(HostAsksTest, TheSameEnrolmentAgainIsAnsweredAsBeforeAndAnotherIsRefused) {
  start();
  const auto first = invite("nas");
  ASSERT_TRUE(enrol(first, share_));
  EXPECT_EQ(enrol(first, share_).value().name, "nas");
  const auto kept = vault_->deposited;
  EXPECT_EQ(enrol(first, crypto::random_secret(protocol::kShareSize)).error().name(), "enrolled");
  const auto other = enrol(invite("other"), crypto::random_secret(protocol::kShareSize));
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().kind(), ErrorKind::kExists);
  EXPECT_EQ(other.error().name(), "enrolled");
  EXPECT_EQ(vault_->deposited, kept) << "the share that the host has the other half of stays";
}

TEST_F(HostAsksTest, WhileAnIdentityIsBeingEnrolledAnotherShareOfItIsNotTaken) {
  start();
  const auto first = invite("nas");
  const auto other = invite("other");
  hold_vault(true);
  auto enrolled = spawn(service_->enrolments().enrol(enrolment(first, share_), "192.0.2.7"));
  wait_for_deposit();
  const auto share = crypto::random_secret(protocol::kShareSize);
  EXPECT_EQ(enrol(first, share).error().kind(), ErrorKind::kUnavailable);
  EXPECT_EQ(enrol(other, share).error().kind(), ErrorKind::kUnavailable);
  hold_vault(false);
  ASSERT_TRUE(await(std::move(enrolled)));
  EXPECT_EQ(vault_->deposits, 1);
  EXPECT_TRUE(enrol(first, share_)) << "what was kept is the share of the one that was told so";
  EXPECT_EQ(enrol(first, share).error().name(), "enrolled");
}

TEST_F(HostAsksTest, AfterAnEnrolmentThatFailedTheNextIsTaken) {
  start();
  const auto token = invite("nas");
  vault_fails(true);
  EXPECT_EQ(enrol(token, share_).error().kind(), ErrorKind::kUnavailable);
  vault_fails(false);
  EXPECT_TRUE(enrol(token, crypto::random_secret(protocol::kShareSize)));
}

TEST_F(HostAsksTest, AnInviteThatIsNoneIsCalledSo) {
  start();
  EXPECT_EQ(enrol({}, share_).error().name(), "invite");
}

TEST_F(HostAsksTest, HoweverManyStrangersAskTheHostIsTaken) {
  options_.asks_limit = 3;
  options_.pending_limit = 1;
  start();
  ASSERT_TRUE(enrol(invite("nas"), share_));
  std::vector<std::future<Answer>> strangers;
  for (int i = 0; i < 3; ++i) strangers.push_back(ask_from("198.51." + std::to_string(i) + ".1"));
  for (int i = 0; i < 3; ++i) static_cast<void>(sms_->next());
  EXPECT_EQ(await(ask_from("198.51.9.1")).outcome, Answer::Outcome::kTooMany);
  EXPECT_EQ(host_asks(), AskVerdict::kTaken);
  service_->stop();
  for (auto& stranger : strangers) await(std::move(stranger));
}

TEST_F(HostAsksTest, WhatWasAskedBeforeTheClockWasPutBackShutsNoHostOut) {
  const auto asked_at = [this](std::chrono::seconds from_now) {
    by_hand("UPDATE zkv_host SET asked_at = (unixepoch() + " + std::to_string(from_now.count()) + ") * 1000");
  };
  start();
  ASSERT_TRUE(enrol(invite("nas"), share_));
  asked_at(std::chrono::seconds(280));
  EXPECT_EQ(host_asks(), AskVerdict::kStale) << "so far ahead may a host's clock be";
  asked_at(std::chrono::hours(24));
  EXPECT_EQ(host_asks(), AskVerdict::kTaken);
  EXPECT_EQ(count("SELECT asked_at <= (unixepoch() + 1) * 1000 FROM zkv_host"), 1);
}

TEST_F(HostAsksTest, ThePlaceOfAnAskThatEndedIsFreeAgain) {
  options_.asks_of_network_limit = 1;
  start();
  auto first = ask_from("198.51.100.1");
  const auto told = sms_->next();
  EXPECT_EQ(await(ask_from("198.51.100.2")).outcome, Answer::Outcome::kTooMany) << "the same network";
  auto other = ask_from("198.51.101.1");
  ASSERT_TRUE(deny(sms_->next().request));
  EXPECT_EQ(await(std::move(other)).outcome, Answer::Outcome::kDenied);
  ASSERT_TRUE(deny(told.request));
  EXPECT_EQ(await(std::move(first)).outcome, Answer::Outcome::kDenied);
  auto next = ask_from("198.51.100.3");
  ASSERT_TRUE(deny(sms_->next().request));
  EXPECT_EQ(await(std::move(next)).outcome, Answer::Outcome::kDenied);
}

TEST_F(HostAsksTest, HostsStandBeforeStrangersAndADamagedRequestHidesNoOther) {
  start();
  ASSERT_TRUE(enrol(invite("nas"), share_));
  auto stranger = ask_from("198.51.100.1");
  const auto told = sms_->next();
  ASSERT_EQ(host_asks(), AskVerdict::kTaken);
  const auto list = await(service_->open_requests()).value();
  ASSERT_EQ(list.cards.size(), 2U);
  EXPECT_EQ(list.cards[1].request.id.text, told.request);
  by_hand("UPDATE zkv_ask SET envelope = '{}'");
  const auto damaged = await(service_->open_requests()).value();
  ASSERT_EQ(damaged.cards.size(), 1U);
  EXPECT_EQ(damaged.cards[0].request.id.text, told.request);
  EXPECT_THAT(damaged.damaged, testing::ElementsAre(list.cards[0].request.id.text));
  service_->stop();
  await(std::move(stranger));
}

TEST_F(HostAsksTest, ADrillStandsBehindABootAndABootBeforeADrill) {
  start();
  ASSERT_TRUE(enrol(invite("nas"), share_));
  ASSERT_EQ(host_asks(true), AskVerdict::kTaken);
  const auto drill = await(service_->open_requests()).value().cards.at(0);
  EXPECT_TRUE(drill.message->is_drill);
  ASSERT_EQ(host_asks(), AskVerdict::kTaken);
  EXPECT_EQ(await(service_->request(drill.request.id)).value().request.state, State::kSuperseded);
  EXPECT_EQ(host_asks(true), AskVerdict::kBootWaits);
  const auto open = await(service_->open_requests()).value();
  ASSERT_EQ(open.cards.size(), 1U);
  EXPECT_FALSE(open.cards[0].message->is_drill);
}

TEST_F(HostAsksTest, ADamagedRequestMayBeABootAndHoldsADrillBack) {
  start();
  ASSERT_TRUE(enrol(invite("nas"), share_));
  ASSERT_EQ(host_asks(true), AskVerdict::kTaken);
  by_hand("UPDATE zkv_ask SET envelope = '{}'");
  EXPECT_EQ(host_asks(true), AskVerdict::kBootWaits);
}

TEST(Networks, AreOf24BitsOrOf48) {
  EXPECT_EQ(network_of("198.51.100.1"), network_of("198.51.100.254"));
  EXPECT_NE(network_of("198.51.100.1"), network_of("198.51.101.1"));
  EXPECT_EQ(network_of("2001:db8:1:2::3"), network_of("2001:db8:1:9::1"));
  EXPECT_NE(network_of("2001:db8:1::1"), network_of("2001:db8:2::1"));
}

}  // namespace
}  // namespace zkv::gateway
