// Where push messages may go, what goes there, and who keeps whom waiting.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <mutex>
#include <set>

#include "gateway/channel/push_courier.h"
#include "gateway/channel/push_hosts.h"
#include "gateway/channel/push_sender.h"
#include "http_server.h"

namespace zkv::gateway {
namespace {

using test::answer;
using test::HttpServer;
using test::ReceivedRequest;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::chrono::seconds kPatience{30};

PushHosts usual_hosts() { return PushHosts({"push.example", "*.wide.example", "http://127.0.0.1:8030"}); }

TEST(PushHosts, AHostOfTheListIsAllowedAndAWildcardAllowsAllBelowIt) {
  EXPECT_TRUE(usual_hosts().check("https://push.example/wp/1"));
  EXPECT_TRUE(usual_hosts().check("https://PUSH.example:443/wp/1"));
  EXPECT_TRUE(usual_hosts().check("https://a.b.wide.example/1"));
  EXPECT_TRUE(usual_hosts().check("http://127.0.0.1:8030/push/1"));
}

TEST(PushHosts, WhatOnlyLooksLikeOneOfThemIsRefusedByName) {
  for (const char* endpoint :
       {"https://push.example.evil.example/", "https://evilpush.example/", "https://wide.example/",
        "https://evilwide.example/", "http://push.example/", "https://push.example:8443/",
        "http://127.0.0.1:8031/", "http://localhost:8030/", "https://127.0.0.1:8030/",
        "https://push.example./", "https://[::1]/", "http://0x7f000001:22/",
        "https://evil.example/push.example"}) {
    const auto checked = usual_hosts().check(endpoint);
    ASSERT_FALSE(checked) << endpoint;
    EXPECT_EQ(checked.error().name(), "push-host") << endpoint;
  }
}

TEST(PushHosts, AUserNameOrNoAddressIsMisshapen) {
  for (const char* endpoint : {"https://push.example@evil.example/", "https://me@push.example/",
                               "ftp://push.example/", "push", "", "https://push.example\\@evil.example/"}) {
    const auto checked = usual_hosts().check(endpoint);
    ASSERT_FALSE(checked) << endpoint;
    EXPECT_NE(checked.error().kind(), ErrorKind::kInternal);
  }
}

TEST(PushHosts, PlainHttpIsForThisMachineAloneEvenWhenTheListSaysOtherwise) {
  EXPECT_FALSE(PushHosts({"http://push.example"}).check("http://push.example/1"));
}

PushLetter letter_to(const std::string& approver, const std::string& endpoint = "https://push.example/1") {
  PushLetter letter;
  letter.to = {"00", approver, {}};
  letter.to.subscription.endpoint = endpoint;
  letter.to.subscription.key = PushKey::make().value().point();
  letter.request = {"ABCDE12345"};
  letter.text = R"({"request":"ABCDE12345"})";
  letter.topic = "topic";
  letter.expires_at = now() + std::chrono::seconds(60);
  return letter;
}

/// A sender whose only push service is a loopback server.
class SenderTest : public ::testing::Test {
 protected:
  SenderTest() {
    std::string name = (std::filesystem::temp_directory_path() / "zkv-push-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~SenderTest() override { std::filesystem::remove_all(folder_); }
  PushSender sender_to(const HttpServer& server) {
    return PushSender({folder_ / "push.key", "mailto:owner@example.org", {server.url()}, "gateway"});
  }
  std::filesystem::path folder_;
};

TEST_F(SenderTest, AMessageIsSentAsTheRfcsSay) {
  HttpServer server([](const ReceivedRequest&) { return answer(201, ""); });
  auto sender = sender_to(server);
  EXPECT_EQ(sender.send(letter_to("a", server.url() + "/push/1"), {}).verdict, PushVerdict::kTaken);
  const auto request = server.requests().at(0);
  EXPECT_EQ(request.line(), "POST /push/1 HTTP/1.1");
  EXPECT_THAT(request.head, AllOf(HasSubstr("Content-Encoding: aes128gcm"), HasSubstr("Urgency: high"),
                                  HasSubstr("Topic: topic"), HasSubstr("Authorization: vapid t=")));
  EXPECT_THAT(request.head, ::testing::ContainsRegex("TTL: (5[0-9]|60)\r\n"));
  EXPECT_THAT(request.body, Not(HasSubstr("ABCDE12345")));
}

TEST_F(SenderTest, WhatEachAnswerMeans) {
  const std::vector<std::pair<int, PushVerdict>> meanings = {
      {200, PushVerdict::kTaken},   {202, PushVerdict::kTaken},   {404, PushVerdict::kGone},
      {410, PushVerdict::kGone},    {429, PushVerdict::kLater},   {500, PushVerdict::kLater},
      {503, PushVerdict::kLater},   {400, PushVerdict::kRefused}, {401, PushVerdict::kRefused},
      {413, PushVerdict::kRefused}, {301, PushVerdict::kRefused}, {307, PushVerdict::kRefused},
      {204, PushVerdict::kRefused}};
  for (const auto& [status, verdict] : meanings) {
    HttpServer server([status = status](const ReceivedRequest&) {
      return answer(status, "", "Location: http://127.0.0.1:1/\r\nRetry-After: 3\r\n");
    });
    const auto got = sender_to(server).send(letter_to("a", server.url() + "/push/1"), {});
    EXPECT_EQ(got.verdict, verdict) << status;
    EXPECT_EQ(got.service, "127.0.0.1");
    EXPECT_EQ(got.after.has_value(), verdict == PushVerdict::kLater) << status;
    EXPECT_EQ(server.requests().size(), 1U) << status;
  }
}

TEST_F(SenderTest, ALongAnswerIsNotReadAndTheEndpointIsInNoMessage) {
  HttpServer server([](const ReceivedRequest&) { return answer(201, std::string(200'000, 'x')); });
  const auto got = sender_to(server).send(letter_to("a", server.url() + "/push/capability"), {});
  EXPECT_EQ(got.verdict, PushVerdict::kLater);
  EXPECT_THAT(got.why, AllOf(HasSubstr("longer than"), Not(HasSubstr("capability"))));
}

TEST_F(SenderTest, AnEndpointThatTheListNoLongerNamesIsNotCalled) {
  HttpServer server([](const ReceivedRequest&) { return answer(201, ""); });
  PushSender sender({folder_ / "push.key", "", {"push.example"}, "gateway"});
  EXPECT_EQ(sender.send(letter_to("a", server.url() + "/push/1"), {}).verdict, PushVerdict::kRefused);
  EXPECT_EQ(server.connections(), 0);
}

TEST_F(SenderTest, TheKeyIsMadeOnceAndTopicsNeedIt) {
  HttpServer server([](const ReceivedRequest&) { return answer(201, ""); });
  auto first = sender_to(server);
  auto again = sender_to(server);
  EXPECT_EQ(first.key().value()->point(), again.key().value()->point());
  EXPECT_EQ(first.topic_of("nas").value(), again.topic_of("nas").value());
  EXPECT_NE(first.topic_of("nas").value(), first.topic_of("nas2").value());
  EXPECT_EQ(first.topic_of("nas").value().size(), 32U);
  std::filesystem::remove(folder_ / "push.key");
  auto other = sender_to(server);
  EXPECT_NE(other.topic_of("nas").value(), first.topic_of("nas").value());
}

/// Hands that do as a test tells them, and what was concluded.
class CourierTest : public ::testing::Test {
 protected:
  PushCourier::Hands hands() {
    return {[this](const PushLetter& letter, const std::stop_token& stop) { return send(letter, stop); },
            [this](const PushLetter& letter) { return wanted_.contains(letter.to.approver); }};
  }
  /// Whose letter it is, and whether it is news.
  static std::string mark(const PushLetter& letter) {
    return letter.to.approver + (letter.request.text.empty() ? "'s news" : "");
  }
  PushAnswer send(const PushLetter& letter, const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    ++sent_[mark(letter)];
    most_at_once_ = std::max(most_at_once_, ++at_once_[mark(letter)]);
    const std::stop_callback wake(stop, [this] { changed_.notify_all(); });
    changed_.wait(lock, [&] { return !held_.contains(mark(letter)) || stop.stop_requested(); });
    --at_once_[mark(letter)];
    auto& answers = answers_[mark(letter)];
    if (answers.empty()) return {PushVerdict::kTaken, "push.example", {}};
    const auto next = answers.front();
    answers.erase(answers.begin());
    return next;
  }
  PushCourier::Done done() {
    return [this](const PushLetter& letter, const PushAnswer& answer) {
      const std::lock_guard lock(mutex_);
      concluded_.emplace_back(mark(letter), answer.verdict);
      changed_.notify_all();
    };
  }
  void await_concluded(std::size_t count) {
    std::unique_lock lock(mutex_);
    ASSERT_TRUE(changed_.wait_for(lock, kPatience, [&] { return concluded_.size() >= count; }));
  }
  void release(const std::string& approver) {
    const std::lock_guard lock(mutex_);
    held_.erase(approver);
    changed_.notify_all();
  }
  static PushAnswer later(std::chrono::milliseconds after) {
    return {PushVerdict::kLater, "push.example", "status 429", after};
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::set<std::string> held_;
  std::set<std::string> wanted_ = {"anna", "bea"};
  std::map<std::string, std::vector<PushAnswer>> answers_;
  std::map<std::string, int> sent_;
  std::map<std::string, int> at_once_;
  int most_at_once_ = 0;
  std::vector<std::pair<std::string, PushVerdict>> concluded_;
};

TEST_F(CourierTest, OnePersonsHangingServiceKeepsNobodyElseWaiting) {
  held_ = {"anna"};
  PushCourier courier(hands());
  for (int i = 0; i < 50; ++i) courier.submit(letter_to("anna"), done());
  courier.submit(letter_to("bea"), done());
  await_concluded(1);
  EXPECT_EQ(concluded_.front().first, "bea");
  release("anna");
  await_concluded(51);
  EXPECT_LE(most_at_once_, static_cast<int>(PushCourier::kMostAtOnce));
}

TEST_F(CourierTest, NewsThatHangKeepNoRequestWaiting) {
  const std::set<std::string> many = {"anna", "bea", "carl", "dora", "emil"};
  for (const auto& person : many) held_.insert(person + "'s news");
  PushCourier courier(hands());
  for (const auto& person : many) {
    for (int i = 0; i < 3; ++i) {
      auto news = letter_to(person);
      news.request = {};
      courier.submit(std::move(news), done());
    }
  }
  courier.submit(letter_to("anna"), done());
  await_concluded(1);
  EXPECT_EQ(concluded_.front().first, "anna");
}

TEST_F(CourierTest, ABusyServiceIsAskedAgainUntilItTakesTheLetter) {
  answers_["anna"] = {later(std::chrono::milliseconds(0)), later(std::chrono::milliseconds(5))};
  PushCourier courier(hands());
  courier.submit(letter_to("anna"), done());
  await_concluded(1);
  EXPECT_EQ(concluded_.front().second, PushVerdict::kTaken);
  EXPECT_EQ(sent_["anna"], 3);
}

TEST_F(CourierTest, AWaitBeyondTheLettersLifeIsItsEnd) {
  answers_["anna"] = {later(std::chrono::hours(1))};
  PushCourier courier(hands());
  courier.submit(letter_to("anna"), done());
  await_concluded(1);
  EXPECT_EQ(concluded_.front().second, PushVerdict::kLater);
  EXPECT_EQ(sent_["anna"], 1);
}

TEST_F(CourierTest, WhatNobodyWantsAnyMoreIsNotSentAgain) {
  wanted_ = {};
  answers_["anna"] = {later(std::chrono::milliseconds(1'000))};
  PushCourier courier(hands());
  courier.submit(letter_to("anna"), done());
  await_concluded(1);
  EXPECT_EQ(concluded_.front().second, PushVerdict::kDropped);
  EXPECT_EQ(sent_["anna"], 1);
}

TEST_F(CourierTest, ALetterThatIsTooOldIsNotSent) {
  PushCourier courier(hands());
  auto letter = letter_to("anna");
  letter.expires_at = now() - std::chrono::seconds(1);
  courier.submit(std::move(letter), done());
  await_concluded(1);
  EXPECT_EQ(concluded_.front().second, PushVerdict::kDropped);
  EXPECT_EQ(sent_.count("anna"), 0U);
}

TEST_F(CourierTest, BeyondAThousandLettersOfOnePersonMoreAreRefused) {
  held_ = {"anna"};
  PushCourier courier(hands());
  const std::size_t more_than_fit = PushCourier::kMostWaiting + PushCourier::kMostAtOnce + 1;
  for (std::size_t i = 0; i < more_than_fit; ++i) courier.submit(letter_to("anna"), done());
  await_concluded(1);
  EXPECT_EQ(concluded_.front().second, PushVerdict::kRefused);
  courier.submit(letter_to("bea"), done());
  await_concluded(2);
  release("anna");
}

TEST_F(CourierTest, ClosingEndsWhatRunsAndForgetsWhatWaits) {
  held_ = {"anna"};
  PushCourier courier(hands());
  for (int i = 0; i < 10; ++i) courier.submit(letter_to("anna"), done());
  auto closed = std::async(std::launch::async, [&] { courier.close(); });
  ASSERT_EQ(closed.wait_for(kPatience), std::future_status::ready);
  courier.submit(letter_to("bea"), done());
  EXPECT_TRUE(concluded_.empty());
  EXPECT_EQ(sent_.count("bea"), 0U);
}

}  // namespace
}  // namespace zkv::gateway
