// Requests that are damaged in the database: each is named, none is approved, and all others go on.
#include "host_world.h"
#include "service_world.h"

namespace zkv::gateway {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing_world::HostServiceTest;

class DamagedRequestTest : public HostServiceTest {
 protected:
  void damage_requests_of(const std::string& whose) {
    by_hand("UPDATE zkv_request SET pin_mac = 'not hex' WHERE " + whose);
  }
  std::vector<std::string> damaged_ones() { return await(service_->open_requests()).value().damaged; }
  Result<RequestId> discard(const std::string& id) { return await(service_->discard({id}, "console:uid 0")); }
  std::string open_request() { return await(service_->open_requests()).value().cards.at(0).request.id.text; }
};

TEST_F(DamagedRequestTest, TheGatewayStartsAndNamesItAndAllOthersGoOn) {
  start();
  ASSERT_TRUE(enrol(invite("nas"), share_));
  ASSERT_EQ(host_asks(), AskVerdict::kTaken);
  const auto id = open_request();
  auto client = ask("token");
  const auto other = sms_->next().request;
  service_->stop();
  EXPECT_EQ(await(std::move(client)).outcome, Answer::Outcome::kStopping);
  damage_requests_of("host <> ''");
  start();
  ASSERT_EQ(damaged_.size(), 1U);
  EXPECT_THAT(damaged_[0], HasSubstr(id));
  EXPECT_THAT(damaged_ones(), ElementsAre(id));
  auto back = ask("token");
  ASSERT_TRUE(approve(other));
  EXPECT_EQ(await(std::move(back)).outcome, Answer::Outcome::kReleased);
}

TEST_F(DamagedRequestTest, NobodyCanApproveIt) {
  start();
  ASSERT_TRUE(enrol(invite("nas"), share_));
  ASSERT_EQ(host_asks(), AskVerdict::kTaken);
  const auto id = open_request();
  damage_requests_of("host <> ''");
  EXPECT_EQ(approve(id).error().kind(), ErrorKind::kCorrupt);
  EXPECT_EQ(await(service_->approve_all("console:uid 0")).value(), 0U);
  EXPECT_EQ(rows_of("request.approve"), 0);
}

TEST_F(DamagedRequestTest, NorOneOfWhichOnlyWhatTheHostSignedIsDamagedOrGone) {
  start();
  ASSERT_TRUE(enrol(invite("nas"), share_));
  ASSERT_EQ(host_asks(), AskVerdict::kTaken);
  const auto id = open_request();
  by_hand("UPDATE zkv_ask SET envelope = '{}'");
  EXPECT_EQ(approve(id).error().kind(), ErrorKind::kCorrupt);
  by_hand("DELETE FROM zkv_ask");
  EXPECT_EQ(approve(id).error().kind(), ErrorKind::kNotFound);
  EXPECT_EQ(await(service_->approve_all("console:uid 0")).value(), 0U);
  EXPECT_THAT(damaged_ones(), ElementsAre(id));
  start();
  ASSERT_EQ(damaged_.size(), 1U);
}

TEST_F(DamagedRequestTest, ItsHostIsToldThatThereIsNoneAndItsNextRequestIsTaken) {
  start();
  ASSERT_TRUE(enrol(invite("nas"), share_));
  ASSERT_EQ(host_asks(), AskVerdict::kTaken);
  damage_requests_of("host <> ''");
  EXPECT_EQ(await(service_->host_asks().state(asked_)).error().kind(), ErrorKind::kNotFound);
  EXPECT_EQ(host_asks(), AskVerdict::kTaken);
  EXPECT_EQ(await(service_->host_asks().state(asked_))->request.state, State::kPending);
  EXPECT_EQ(damaged_ones().size(), 1U) << "it stays for people to see";
}

TEST_F(DamagedRequestTest, AClientOfTheFirstProtocolThatComesBackWithItsTokenAsksAnew) {
  start();
  auto client = ask("token");
  const auto first = sms_->next().request;
  service_->stop();
  await(std::move(client));
  damage_requests_of("host = ''");
  start();
  auto back = ask("token");
  const auto second = sms_->next().request;
  EXPECT_NE(second, first);
  ASSERT_TRUE(approve(second));
  EXPECT_EQ(await(std::move(back)).outcome, Answer::Outcome::kReleased);
}

TEST_F(DamagedRequestTest, AClientThatWaitsWhenItsTimeIsOverHearsThatItEnded) {
  options_.max_wait = std::chrono::seconds(1);
  start();
  by_hand(
      "CREATE TRIGGER damaged AFTER INSERT ON zkv_request BEGIN "
      "UPDATE zkv_request SET pin_mac = 'not hex' WHERE id = NEW.id; END");
  auto client = ask("token");
  EXPECT_EQ(await(std::move(client)).outcome, Answer::Outcome::kCancelled);
  service_->stop();
  EXPECT_EQ(rows_of("gateway.stop"), 1) << "it does not hold up the stop either";
  EXPECT_EQ(damaged_.size(), 1U);
}

TEST_F(DamagedRequestTest, DiscardingDeletesItWakesWhoWaitsAndStaysInTheAuditLog) {
  start();
  auto client = ask("token");
  const auto id = sms_->next().request;
  EXPECT_EQ(discard(id).error().kind(), ErrorKind::kConflict) << "it is not damaged";
  EXPECT_EQ(discard("NOPE").error().kind(), ErrorKind::kNotFound);
  damage_requests_of("host = ''");
  ASSERT_TRUE(discard(id));
  EXPECT_EQ(await(std::move(client)).outcome, Answer::Outcome::kCancelled);
  EXPECT_TRUE(damaged_ones().empty());
  EXPECT_EQ(count("SELECT COUNT(*) FROM zkv_audit WHERE kind = 'request.discard' AND request = '" + id +
                  "' AND actor = 'console:uid 0' AND detail LIKE '%damaged%'"),
            1);
}

TEST_F(DamagedRequestTest, WithoutItsAuditRowNothingIsDiscarded) {
  start();
  auto client = ask("token");
  const auto id = sms_->next().request;
  damage_requests_of("host = ''");
  break_audit("request.discard");
  EXPECT_FALSE(discard(id));
  mend_audit();
  EXPECT_THAT(damaged_ones(), ElementsAre(id));
  service_->stop();
  await(std::move(client));
}

TEST_F(DamagedRequestTest, ItDoesNotKeepItsHostFromBeingRevoked) {
  start();
  ASSERT_TRUE(enrol(invite("nas"), share_));
  ASSERT_EQ(host_asks(), AskVerdict::kTaken);
  damage_requests_of("host <> ''");
  ASSERT_TRUE(await(service_->enrolments().revoke("nas", "console:uid 0")));
  EXPECT_TRUE(vault_->deposited.empty());
}

}  // namespace
}  // namespace zkv::gateway
