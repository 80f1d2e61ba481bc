// PINs and the limits on them: guessing, replaying, and PINs of other requests are tried and fail.
#include <fstream>
#include <iterator>
#include <set>

#include "gateway/service/pin.h"
#include "gateway/service/refusals.h"
#include "service_world.h"

namespace zkv::gateway {
namespace {

namespace asio = boost::asio;
using testing_world::ServiceTest;
using Outcome = Answer::Outcome;

const SecretBytes& key() {
  static const auto bytes = SecretBytes::copy_of("0123456789abcdef0123456789abcdef");
  return bytes;
}

auto mac(std::string_view text) { return mac_of_pin(key().span(), text); }

TEST(Pin, IsComparedAsANumber) {
  EXPECT_EQ(mac("012345"), mac("12345"));
  EXPECT_EQ(mac(" 12345\r\n"), mac("12345"));
  EXPECT_EQ(mac("000000"), mac("0"));
  EXPECT_EQ(mac("000000000000000000000012345"), mac("12345"));
  EXPECT_NE(mac("12345"), mac("123450"));
}

TEST(Pin, AnythingElseIsNoPin) {
  for (const auto* text : {"", "  ", "12 345", "-12345", "+12345", "12345x", "0x1234", "1e5", "１２３４５"}) {
    EXPECT_EQ(mac(text), std::nullopt) << text;
  }
  EXPECT_EQ(mac("1234567890123456789"), std::nullopt) << "nineteen digits";
  EXPECT_EQ(mac(std::string_view("12345\0", 6)), std::nullopt);
}

TEST(Pin, MadeOnesHaveTheirLengthInDigitsAndDiffer) {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    const auto pin = make_pin(18);
    EXPECT_EQ(pin.size(), 18U);
    EXPECT_EQ(pin.view().find_first_not_of("0123456789"), std::string_view::npos);
    seen.insert(std::string(pin.view()));
  }
  EXPECT_EQ(seen.size(), 100U);
}

TEST_F(ServiceTest, ThePinOfARequestApprovesThatRequestOnly) {
  start();
  auto first = ask();
  const auto first_told = sms_->next();
  auto second = ask();
  const auto second_told = sms_->next();
  EXPECT_EQ(pin(" 000" + second_told.pin + "\n"), PinOutcome::kApproved);
  EXPECT_EQ(await(std::move(second)).outcome, Outcome::kReleased);
  EXPECT_EQ(request(first_told.request).state, State::kPending);
  EXPECT_EQ(request(second_told.request).decided_by, "sms:+15550100");
  ASSERT_TRUE(deny(first_told.request));
  static_cast<void>(await(std::move(first)));
}

TEST_F(ServiceTest, GuessingEndsEveryPendingRequestAfterThreeWrongPins) {
  start();
  auto first = ask();
  const auto told = sms_->next();
  const auto wrong = other_than(told.pin);
  EXPECT_EQ(pin(wrong), PinOutcome::kUnknownPin);
  EXPECT_EQ(pin("not a number"), PinOutcome::kUnknownPin);
  EXPECT_EQ(request(told.request).wrong_pins, 2U);
  EXPECT_EQ(request(told.request).state, State::kPending);
  EXPECT_EQ(pin(wrong), PinOutcome::kUnknownPin);
  EXPECT_EQ(await(std::move(first)).outcome, Outcome::kDenied);
  EXPECT_EQ(request(told.request).reason, "3 wrong PINs");

  EXPECT_EQ(pin(told.pin), PinOutcome::kUnknownPin) << "the right PIN comes too late";
  EXPECT_EQ(rows_of("pin.wrong"), 4);
  EXPECT_EQ(vault_calls(), 0);
}

TEST_F(ServiceTest, TenWrongPinsAnHourAreTheEndOfAllTriesEvenAcrossARestart) {
  options_.policy.pin_tries = 100;
  start();
  auto client = ask("token");
  const auto told = sms_->next();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(pin(other_than(told.pin)), PinOutcome::kUnknownPin);
  service_->stop();
  EXPECT_EQ(await(std::move(client)).outcome, Outcome::kStopping);

  start();
  auto again = ask("token");
  for (int i = 0; i < 5; ++i) EXPECT_EQ(pin(other_than(told.pin)), PinOutcome::kUnknownPin);
  EXPECT_EQ(pin(told.pin), PinOutcome::kTooManyTries) << "not even the right one";
  EXPECT_EQ(request(told.request).state, State::kPending);
  EXPECT_EQ(rows_of("pin.refused"), 1);
  ASSERT_TRUE(approve(told.request)) << "the console still decides";
  EXPECT_EQ(await(std::move(again)).outcome, Outcome::kReleased);
}

TEST_F(ServiceTest, WrongPinsOfAnEarlierHourDoNotCount) {
  {
    auto store = Store::open(path_).value();
    for (int i = 0; i < 10; ++i) ASSERT_TRUE(store->add_wrong_pin(now() - std::chrono::minutes(61)));
  }
  start();
  auto client = ask();
  EXPECT_EQ(pin(sms_->next().pin), PinOutcome::kApproved);
  EXPECT_EQ(await(std::move(client)).outcome, Outcome::kReleased);
}

TEST_F(ServiceTest, AReplayedMessageCountsOnceAndAnswersAsTheFirstTime) {
  start();
  auto client = ask();
  const auto told = sms_->next();
  EXPECT_EQ(pin(other_than(told.pin), "SM1"), PinOutcome::kUnknownPin);
  EXPECT_EQ(pin(other_than(told.pin), "SM1"), PinOutcome::kUnknownPin);
  EXPECT_EQ(request(told.request).wrong_pins, 1U);
  EXPECT_EQ(pin(told.pin, "SM1"), PinOutcome::kUnknownPin) << "it answers as the first time";
  EXPECT_EQ(pin(told.pin, "SM2"), PinOutcome::kApproved);
  EXPECT_EQ(await(std::move(client)).outcome, Outcome::kReleased);

  auto next = ask();
  const auto next_told = sms_->next();
  EXPECT_EQ(pin(told.pin, "SM2"), PinOutcome::kApproved) << "the provider is told what it was told before";
  EXPECT_EQ(request(next_told.request).state, State::kPending) << "and nothing new was approved";
  EXPECT_EQ(rows_of("request.release"), 1);
  EXPECT_EQ(rows_of("pin.replayed"), 3);
  ASSERT_TRUE(deny(next_told.request));
  static_cast<void>(await(std::move(next)));
}

TEST_F(ServiceTest, AReplayIsKnownAcrossARestart) {
  start();
  auto client = ask();
  EXPECT_EQ(pin(sms_->next().pin, "SM1"), PinOutcome::kApproved);
  EXPECT_EQ(await(std::move(client)).outcome, Outcome::kReleased);
  start();
  EXPECT_EQ(pin("1", "SM1"), PinOutcome::kApproved);
  EXPECT_EQ(rows_of("request.approve"), 1);
}

TEST_F(ServiceTest, ThePinOfAnEndedRequestIsAWrongOne) {
  start();
  auto first = ask();
  const auto ended = sms_->next();
  ASSERT_TRUE(deny(ended.request));
  static_cast<void>(await(std::move(first)));
  auto second = ask();
  const auto open = sms_->next();
  EXPECT_EQ(pin(ended.pin), PinOutcome::kUnknownPin);
  EXPECT_EQ(request(open.request).wrong_pins, 1U);
  EXPECT_EQ(request(open.request).state, State::kPending);
  ASSERT_TRUE(deny(open.request));
  static_cast<void>(await(std::move(second)));
}

TEST_F(ServiceTest, PinsOfPendingRequestsDiffer) {
  constexpr int kClients = 150;
  options_.pin_length = 4;
  options_.notices_an_hour = 3 * kClients;  // one address has a third
  start();
  std::vector<std::future<Answer>> clients;
  std::set<int> pins;
  for (int i = 0; i < kClients; ++i) clients.push_back(ask());
  for (int i = 0; i < kClients; ++i) pins.insert(std::stoi(sms_->next().pin));
  EXPECT_EQ(pins.size(), static_cast<std::size_t>(kClients));
  service_->stop();
  for (auto& client : clients) EXPECT_EQ(await(std::move(client)).outcome, Outcome::kStopping);
}

TEST_F(ServiceTest, TheDatabaseHoldsNeitherPinNorTokenNorShare) {
  options_.pin_length = 18;
  start();
  auto client = ask("the token of the client");
  const auto told = sms_->next();
  EXPECT_EQ(pin(other_than(told.pin)), PinOutcome::kUnknownPin);
  EXPECT_EQ(pin(told.pin), PinOutcome::kApproved);
  EXPECT_EQ(await(std::move(client)).outcome, Outcome::kReleased);
  service_.reset();
  for (const auto& file : std::filesystem::directory_iterator(folder_)) {
    std::ifstream stream(file.path(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(stream), {}};
    EXPECT_EQ(bytes.find(told.pin), std::string::npos) << file.path();
    EXPECT_EQ(bytes.find(other_than(told.pin)), std::string::npos) << file.path();
    EXPECT_EQ(bytes.find("the token of"), std::string::npos) << file.path();
    EXPECT_EQ(bytes.find("the share of"), std::string::npos) << file.path();
  }
}

TEST_F(ServiceTest, BeyondTheHourlyLimitOnlyTheConsoleIsTold) {
  options_.notices_an_hour = 1;
  start();
  auto first = ask();
  const auto told = sms_->next();
  auto second = ask();
  EXPECT_EQ(console_->next().pin, "") << "a channel that wants no PIN is given none";
  const auto at_console = console_->next();
  EXPECT_NE(at_console.request, told.request);
  EXPECT_TRUE(sms_->is_empty());
  EXPECT_TRUE(request(at_console.request).pin_mac.empty());
  EXPECT_EQ(pin(""), PinOutcome::kUnknownPin) << "no PIN is not an empty PIN";
  EXPECT_EQ(await(service_->approve_all("console:uid 0")), 2U);
  EXPECT_EQ(await(std::move(first)).outcome, Outcome::kReleased);
  EXPECT_EQ(await(std::move(second)).outcome, Outcome::kReleased);
}

TEST_F(ServiceTest, TheHourlyLimitHoldsForEveryChannelAndOutlivesARestart) {
  has_sms_ = false;
  has_push_ = true;
  options_.notices_an_hour = 1;
  start();
  auto first = ask_from("192.0.2.1");
  const auto told = push_->next();
  EXPECT_EQ(console_->next().request, told.request);
  auto second = ask_from("192.0.2.2");
  EXPECT_NE(console_->next().request, told.request) << "the console is told of every one";
  start();
  await(std::move(first));
  await(std::move(second));
  auto third = ask_from("192.0.2.3");
  static_cast<void>(console_->next());
  ASSERT_TRUE(await(service_->check()));
  EXPECT_TRUE(push_->is_empty());
  EXPECT_EQ(await(service_->approve_all("console:uid 0")), 1U);
  EXPECT_EQ(await(std::move(third)).outcome, Outcome::kReleased);
}

TEST_F(ServiceTest, AsksThatNobodyIsToldOfAreGatheredInTheAuditLogAndDecisionsKeepTheirRows) {
  options_.notices_an_hour = 1;
  options_.max_wait = std::chrono::seconds(3'600);
  start();
  auto told = ask();
  static_cast<void>(console_->next());
  std::vector<std::future<Answer>> untold;
  for (int i = 0; i < 4; ++i) untold.push_back(ask());
  for (int i = 0; i < 4; ++i) static_cast<void>(console_->next());
  auto decided = ask();
  const auto last = console_->next().request;
  EXPECT_EQ(rows_of("request.ask"), 1);
  ASSERT_TRUE(approve(last));
  EXPECT_EQ(await(std::move(decided)).outcome, Outcome::kReleased);
  EXPECT_EQ(count("SELECT COUNT(*) FROM zkv_audit WHERE request = '" + last +
                  "' AND kind IN ('request.ask', 'request.approve')"),
            2);
  service_->stop();
  await(std::move(told));
  for (auto& client : untold) await(std::move(client));
  EXPECT_EQ(rows_of("request.ask"), 2);
  EXPECT_EQ(rows_of("request.cancel"), 1) << "that of the one that people were told of";
  EXPECT_LE(rows_of("request.unanswered"), 2) << "the first, and the number of the others";
  EXPECT_EQ(count("SELECT COUNT(*) FROM zkv_audit WHERE kind = 'notice.sent' AND detail = 'fake console'"),
            1);
}

TEST_F(ServiceTest, WhatNobodyWasToldOfHasItsRowsToldOnceWhenItIsDecidedAfterARestart) {
  options_.notices_an_hour = 1;
  options_.max_wait = std::chrono::seconds(3'600);
  start();
  const auto kinds_about = [this](const std::string& id) {
    return text("SELECT GROUP_CONCAT(kind, ' ') FROM (SELECT kind FROM zkv_audit WHERE request = '" + id +
                "' AND kind NOT LIKE 'notice.%' ORDER BY number)");
  };
  std::vector<std::future<Answer>> clients;
  std::vector<std::string> ids;
  for (const auto* token : {"told", "approved", "denied", "undecided", ""}) {
    clients.push_back(ask(*token == '\0' ? std::nullopt : std::optional<std::string>(token)));
    ids.push_back(console_->next().request);
  }
  service_->stop();
  for (auto& client : clients) await(std::move(client));
  EXPECT_EQ(rows_of("request.ask"), 1);

  start();
  EXPECT_EQ(rows_of("request.cancel"), 0) << "nobody decided the one without a token";
  ASSERT_TRUE(approve(ids[0]));
  ASSERT_TRUE(approve(ids[1]));
  service_->stop();
  start();
  ASSERT_TRUE(deny(ids[1])) << "again, when its row is there from an earlier run";
  ASSERT_TRUE(deny(ids[2]));
  service_->stop();
  EXPECT_EQ(kinds_about(ids[0]), "request.ask request.approve");
  EXPECT_EQ(kinds_about(ids[1]), "request.ask request.approve request.deny");
  EXPECT_EQ(kinds_about(ids[2]), "request.ask request.deny");
  EXPECT_EQ(rows_of("request.ask"), 3) << "none of those that nobody decided";
}

TEST_F(ServiceTest, TheHourlyLimitOutlivesARestart) {
  options_.notices_an_hour = 2;
  start();
  auto first = ask_from("192.0.2.1");
  auto second = ask_from("192.0.2.2");
  for (int i = 0; i < 2; ++i) EXPECT_NE(sms_->next().pin + console_->next().pin, "");
  start();
  EXPECT_EQ(await(std::move(first)).outcome, Outcome::kStopping);
  EXPECT_EQ(await(std::move(second)).outcome, Outcome::kStopping);
  auto third = ask_from("192.0.2.3");
  static_cast<void>(console_->next());
  EXPECT_TRUE(sms_->is_empty());
  EXPECT_EQ(await(service_->approve_all("console:uid 0")), 1U);
  EXPECT_EQ(await(std::move(third)).outcome, Outcome::kReleased);
}

TEST_F(ServiceTest, MessagesOfAnEarlierHourDoNotCount) {
  options_.notices_an_hour = 1;
  start();
  auto first = ask();
  EXPECT_EQ(pin(sms_->next().pin), PinOutcome::kApproved);
  EXPECT_EQ(await(std::move(first)).outcome, Outcome::kReleased);
  service_->stop();
  by_hand("UPDATE zkv_request SET created_at = created_at - 3660000");
  start();
  auto second = ask();
  EXPECT_EQ(pin(sms_->next().pin), PinOutcome::kApproved);
  EXPECT_EQ(await(std::move(second)).outcome, Outcome::kReleased);
}

TEST_F(ServiceTest, OneAddressHasAThirdOfTheHourlyMessagesAndTheOthersKeepTheirs) {
  options_.notices_an_hour = 6;
  start();
  std::vector<std::future<Answer>> clients;
  for (const auto* address : {"2001:db8::1", "2001:db8::2", "2001:db8::3", "2001:db8:0:1::1"}) {
    clients.push_back(ask_from(address));
    ASSERT_NE(console_->next().request, "");
  }
  for (int i = 0; i < 3; ++i) EXPECT_NE(sms_->next().pin, "");
  EXPECT_EQ(count("SELECT COUNT(*) FROM zkv_request WHERE address = '2001:db8::3' AND pin_mac = ''"), 1)
      << "the third one of a network of 64 bits";
  EXPECT_EQ(await(service_->approve_all("console:uid 0")), 4U);
  for (auto& client : clients) EXPECT_EQ(await(std::move(client)).outcome, Outcome::kReleased);
}

TEST_F(ServiceTest, MessagesThatTheLimitWithholdsAreToldAndGatheredInTheAuditLog) {
  options_.notices_an_hour = 1;
  start();
  std::vector<std::future<Answer>> clients;
  for (int i = 0; i < 4; ++i) clients.push_back(ask());
  for (int i = 0; i < 4; ++i) static_cast<void>(console_->next());
  ASSERT_TRUE(await(service_->check())) << "what was queued before is done";
  service_->stop();
  for (auto& client : clients) EXPECT_EQ(await(std::move(client)).outcome, Outcome::kStopping);
  EXPECT_EQ(notices_withheld_, 3);
  EXPECT_EQ(rows_of("notice.withheld"), 2) << "the first, and the number of the others";
  EXPECT_EQ(count("SELECT COUNT(*) FROM zkv_audit WHERE kind = 'notice.withheld' AND actor = '192.0.2.7'"),
            2);
}

TEST_F(ServiceTest, AFloodOfRefusalsIsOneRowForEachKindAndAddress) {
  start();
  for (int i = 0; i < 500; ++i)
    service_->note_refusal("refused.webhook-signature", "198.51.100.1", "unsigned");
  ASSERT_TRUE(await(service_->check()));
  EXPECT_EQ(rows_of("refused.webhook-signature"), 1);
  service_->stop();
  EXPECT_EQ(rows_of("refused.webhook-signature"), 2) << "the rest is counted in one row more";
  EXPECT_EQ(count("SELECT COUNT(*) FROM zkv_audit WHERE detail LIKE '499 more since%unsigned'"), 1);
}

TEST_F(ServiceTest, WhatAnAttackerSendsIsShortenedAndMadePrintable) {
  start();
  service_->note_refusal("refused.rate", "198.51.100.1\nrequest.approve", std::string(100'000, 'x'));
  service_->stop();
  EXPECT_EQ(rows_of("refused.rate"), 1);
  EXPECT_LE(count("SELECT MAX(LENGTH(detail)) FROM zkv_audit WHERE kind <> 'audit.checkpoint'"), 310);
  EXPECT_EQ(count("SELECT COUNT(*) FROM zkv_audit WHERE actor = '198.51.100.1 request.approve'"), 1);
}

TEST(Refusals, AFloodFromManyAddressesIsAFewRowsAMinute) {
  Refusals refusals;
  const Time start{std::chrono::milliseconds(1'700'000'000'000)};
  std::size_t at_once = 0;
  for (int i = 0; i < 5'000; ++i) {
    at_once += refusals.note("refused.rate", "2001:db8::" + std::to_string(i), "", start).size();
  }
  EXPECT_EQ(at_once, Refusals::kMostRows + 1) << "the last one for all others together";
  const auto rows = refusals.ended(start + std::chrono::minutes(1));
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].kind, "refused.other");
  EXPECT_THAT(rows[0].detail, testing::StartsWith("4939 more since"));
}

TEST(Refusals, EachMinuteWritesWhatWasGatheredInIt) {
  Refusals refusals;
  const Time start{std::chrono::milliseconds(1'700'000'000'000)};
  EXPECT_EQ(refusals.note("refused.a", "192.0.2.1", "one", start).size(), 1U);
  EXPECT_TRUE(refusals.note("refused.a", "192.0.2.1", "two", start + std::chrono::seconds(1)).empty());
  EXPECT_EQ(refusals.next(), start + std::chrono::minutes(1));
  EXPECT_TRUE(refusals.ended(start + std::chrono::seconds(59)).empty());
  const auto rows = refusals.ended(start + std::chrono::minutes(1));
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].actor, "192.0.2.1");
  EXPECT_EQ(rows[0].detail, "1 more since 2023-11-14T22:13:20.000Z; the last: two");
  EXPECT_TRUE(refusals.ended(start + std::chrono::minutes(2)).empty());
  EXPECT_EQ(refusals.next(), std::nullopt) << "a quiet minute forgets the address";
}

}  // namespace
}  // namespace zkv::gateway
