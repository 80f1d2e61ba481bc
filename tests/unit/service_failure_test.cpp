// When vault, channels or store fail: nothing is released that is not in the audit log, and nothing is lost.
#include <fstream>

#include "gateway/service/pin.h"
#include "service_world.h"

namespace zkv::gateway {
namespace {

using testing::HasSubstr;
namespace asio = boost::asio;
using testing_world::ServiceTest;
using Outcome = Answer::Outcome;

TEST_F(ServiceTest, AVaultThatFailsLeavesTheRequestApprovedForTheClientToComeBack) {
  start();
  vault_fails(true);
  auto client = ask("token");
  const auto told = sms_->next();
  ASSERT_TRUE(approve(told.request));
  const auto failed = await(std::move(client));
  EXPECT_EQ(failed.outcome, Outcome::kVaultFailed);
  EXPECT_EQ(failed.share, nullptr);
  EXPECT_EQ(request(told.request).state, State::kApproved);
  EXPECT_EQ(request(told.request).reason, "the vault is down");
  EXPECT_EQ(rows_of("request.share-failed"), 1);
  EXPECT_EQ(vault_failures_, 1) << "the log is told, too";

  vault_fails(false);
  const auto answer = await(ask("token"));
  EXPECT_EQ(answer.outcome, Outcome::kReleased);
  EXPECT_EQ(answer.request.text, told.request);
  EXPECT_TRUE(sms_->is_empty()) << "nobody is asked a second time";
}

TEST_F(ServiceTest, AChannelThatFailsLeavesTheRequestVisibleAndTheAuditLogSaysSo) {
  *sms_fails_ = true;
  start();
  auto client = ask();
  const auto told = sms_->next();
  EXPECT_EQ(await(service_->open_requests())->cards.size(), 1U);
  ASSERT_TRUE(approve(told.request));
  EXPECT_EQ(await(std::move(client)).outcome, Outcome::kReleased);
  service_->stop();
  EXPECT_EQ(count("SELECT COUNT(*) FROM zkv_audit WHERE kind = 'notice.failed' "
                  "AND detail = 'fake sms: no signal'"),
            1);
}

TEST_F(ServiceTest, ProvidersThatAnswerNothingDoNotKeepReleasesWaiting) {
  sms_hangs_ = true;
  start();
  std::vector<std::future<Answer>> clients;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(ask());
    static_cast<void>(console_->next());
  }
  EXPECT_EQ(await(service_->approve_all("console:uid 0")), 20U);
  for (auto& client : clients) EXPECT_EQ(await(std::move(client)).outcome, Outcome::kReleased);
}

TEST_F(ServiceTest, ADenialWhileTheVaultIsAskedWins) {
  start();
  hold_vault(true);
  auto client = ask();
  const auto told = sms_->next();
  ASSERT_TRUE(approve(told.request));
  wait_for_vault_call();
  ASSERT_TRUE(deny(told.request));
  hold_vault(false);
  const auto answer = await(std::move(client));
  EXPECT_EQ(answer.outcome, Outcome::kDenied);
  EXPECT_EQ(answer.share, nullptr);
  service_->stop();
  EXPECT_EQ(rows_of("request.release"), 0);
}

TEST_F(ServiceTest, AClientThatGoesWhileTheVaultIsAskedGetsNothingAndIsNotReleasedTo) {
  start();
  hold_vault(true);
  asio::cancellation_signal cut;
  auto client = ask(cut, "token");
  const auto told = sms_->next();
  ASSERT_TRUE(approve(told.request));
  wait_for_vault_call();
  emit(cut);
  EXPECT_EQ(await(std::move(client)).share, nullptr);
  hold_vault(false);
  EXPECT_EQ(await(ask("token")).outcome, Outcome::kReleased) << "the approval was not used up";
}

TEST_F(ServiceTest, StoppingWhileTheVaultIsAskedKeepsTheApprovalForTheNextStart) {
  start();
  hold_vault(true);
  auto client = ask("token");
  const auto told = sms_->next();
  ASSERT_TRUE(approve(told.request));
  wait_for_vault_call();
  service_->stop();
  EXPECT_EQ(await(std::move(client)).outcome, Outcome::kStopping);
  hold_vault(false);
  start();
  EXPECT_EQ(request(told.request).state, State::kApproved);
  EXPECT_EQ(await(ask("token")).outcome, Outcome::kReleased);
}

TEST_F(ServiceTest, WithoutAnAuditRowThereIsNoRelease) {
  start();
  auto client = ask("token");
  const auto told = sms_->next();
  break_audit("request.release");
  ASSERT_TRUE(approve(told.request));
  const auto answer = await(std::move(client));
  EXPECT_EQ(answer.outcome, Outcome::kVaultFailed);
  EXPECT_EQ(answer.share, nullptr);
  EXPECT_EQ(request(told.request).state, State::kApproved);
  mend_audit();
  EXPECT_EQ(await(ask("token")).outcome, Outcome::kReleased);
}

TEST_F(ServiceTest, WithoutAnAuditRowThereIsNoApprovalAndTheClientWaitsOn) {
  start();
  auto client = ask();
  const auto told = sms_->next();
  break_audit("request.approve");
  const auto refused = approve(told.request);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message(), HasSubstr("no log today"));
  EXPECT_FALSE(await(service_->receive_pin(told.pin, "SM1", "sms:+15550100")));
  EXPECT_EQ(request(told.request).state, State::kPending);
  EXPECT_EQ(vault_calls(), 0);
  mend_audit();
  EXPECT_EQ(pin(told.pin, "SM1"), PinOutcome::kApproved) << "the failed try was not remembered";
  EXPECT_EQ(await(std::move(client)).outcome, Outcome::kReleased);
}

TEST_F(ServiceTest, AnAskThatCannotBeStoredIsTurnedAwayAndNobodyIsTold) {
  start();
  break_audit("request.ask");
  EXPECT_EQ(await(ask()).outcome, Outcome::kStopping);
  mend_audit();
  auto client = ask();
  const auto told = sms_->next();
  EXPECT_EQ(await(service_->history({}))->cards.size(), 1U);
  ASSERT_TRUE(approve(told.request));
  EXPECT_EQ(await(std::move(client)).outcome, Outcome::kReleased);
}

TEST_F(ServiceTest, OneCommandThatFailsDoesNotTakeItsGroupAlong) {
  start();
  auto client = ask();
  const auto told = sms_->next();
  hold_vault(true);
  std::vector<std::future<Result<Request>>> decisions;
  decisions.push_back(spawn(service_->approve({"NOPE"}, "a")));
  decisions.push_back(spawn(service_->approve({told.request}, "a")));
  decisions.push_back(spawn(service_->approve({told.request}, "b")));
  EXPECT_EQ(await(std::move(decisions[0])).error().kind(), ErrorKind::kNotFound);
  EXPECT_TRUE(await(std::move(decisions[1])));
  EXPECT_EQ(await(std::move(decisions[2])).error().kind(), ErrorKind::kConflict);
  hold_vault(false);
  EXPECT_EQ(await(std::move(client)).outcome, Outcome::kReleased);
}

TEST_F(ServiceTest, AStoreThatFailsIsReportedAndNotReady) {
  start();
  ASSERT_TRUE(await(service_->check()));
  by_hand("DROP TABLE zkv_wrong_pin");
  EXPECT_FALSE(await(service_->check()));
  EXPECT_GT(store_failures_, 0);
}

TEST_F(ServiceTest, AStoreThatReadsButTakesNoChangesIsNotReady) {
  start();
  by_hand("CREATE TRIGGER full BEFORE INSERT ON zkv_wrong_pin BEGIN SELECT RAISE(ABORT, 'no room'); END");
  EXPECT_FALSE(await(service_->check()));
  EXPECT_FALSE(await(service_->check())) << "a failure is not remembered as a proof";
  by_hand("DROP TRIGGER full");
  EXPECT_TRUE(await(service_->check()));
}

TEST_F(ServiceTest, ExpiryThatCannotBeStoredIsTriedAgain) {
  options_.max_wait = std::chrono::seconds(1);
  start();
  break_audit("request.expire");
  auto client = ask();
  const auto told = sms_->next();
  store_failures_.wait(0);
  EXPECT_EQ(request(told.request).state, State::kPending);
  mend_audit();
  EXPECT_EQ(await(std::move(client)).outcome, Outcome::kExpired);
}

TEST_F(ServiceTest, WrongOptionsAreRefusedAtTheStart) {
  options_.pin_length = 3;
  EXPECT_EQ(try_start().error().kind(), ErrorKind::kInvalid);
  options_.pin_length = 19;
  EXPECT_EQ(try_start().error().kind(), ErrorKind::kInvalid);
  options_.pin_length = 6;
  options_.max_wait = std::chrono::seconds(0);
  EXPECT_EQ(try_start().error().kind(), ErrorKind::kInvalid);
}

TEST_F(ServiceTest, ThePinKeyIsMadeOnceForItsOwnerOnlyAndChecked) {
  const auto file = folder_ / "pin.key";
  const auto made = load_pin_key(file).value();
  EXPECT_EQ(made.size(), 32U);
  EXPECT_EQ(std::filesystem::status(file).permissions(), std::filesystem::perms(0600));
  EXPECT_EQ(load_pin_key(file)->view(), made.view());
  std::filesystem::permissions(file, std::filesystem::perms(0640));
  EXPECT_EQ(load_pin_key(file).error().kind(), ErrorKind::kDenied);
  std::filesystem::permissions(file, std::filesystem::perms(0600));
  std::ofstream(file) << "short";
  EXPECT_EQ(load_pin_key(file).error().kind(), ErrorKind::kInvalid);
  EXPECT_FALSE(load_pin_key(folder_ / "nowhere" / "pin.key"));
}

}  // namespace
}  // namespace zkv::gateway
