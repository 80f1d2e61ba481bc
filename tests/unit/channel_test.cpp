// Channels against a loopback Twilio, and Twilio's signature against its published example.
#include "gateway/channel/channel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <sstream>

#include "fake_time.h"
#include "gateway/channel/registry.h"
#include "gateway/channel/twilio_signature.h"
#include "http_server.h"

namespace zkv::gateway {
namespace {

using test::answer;
using test::FakeTime;
using test::HttpServer;
using test::RawAnswer;
using test::ReceivedRequest;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr Time kStart{std::chrono::seconds(1'800'000'000)};

Notice notice_with_pin() {
  return {.request = {"ABCDE12345"},
          .host = "",
          .address = "192.0.2.7",
          .pin = SecretBytes::copy_of("482913"),
          .expires_at = kStart + std::chrono::seconds(60)};
}

TwilioOptions twilio_options(const std::string& api_uri) {
  TwilioOptions options;
  options.account_id = "AC0123";
  options.token = SecretBytes::copy_of("t0ken");
  options.from = "+15550001111";
  options.to = "+15552223333";
  options.api_uri = api_uri;
  return options;
}

/// A Twilio on loopback that gives those answers one after the other, and the channel that speaks to it.
struct Twilio {
  explicit Twilio(std::vector<RawAnswer> replies)
      : server([replies = std::move(replies), next = std::size_t{0}](const ReceivedRequest&) mutable {
          return replies.at(std::min(next++, replies.size() - 1));
        }),
        channel(make_twilio_channel(twilio_options(server.url()), time.clock()).value()) {}

  FakeTime time{.at = kStart};
  HttpServer server;
  std::unique_ptr<Channel> channel;
};

Error error_of(const Result<>& result) { return result ? Error::internal("it was sent") : result.error(); }

/// What the default logger writes while this lives.
class Log {
 public:
  Log() : before_(spdlog::default_logger()) {
    auto logger =
        std::make_shared<spdlog::logger>("test", std::make_shared<spdlog::sinks::ostream_sink_mt>(text_));
    logger->set_level(spdlog::level::trace);
    spdlog::set_default_logger(logger);
  }
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;
  ~Log() { spdlog::set_default_logger(before_); }
  [[nodiscard]] std::string text() const { return text_.str(); }

 private:
  std::ostringstream text_;
  std::shared_ptr<spdlog::logger> before_;
};

TEST(Twilio, SendsTheSeedsTextToTheMessagesApi) {
  Twilio twilio({answer(201, R"({"sid":"SM1","status":"queued"})")});
  ASSERT_TRUE(twilio.channel->notify(notice_with_pin(), {}));
  const auto request = twilio.server.requests().at(0);
  EXPECT_EQ(request.line(), "POST /2010-04-01/Accounts/AC0123/Messages.json HTTP/1.1");
  EXPECT_THAT(request.head, AllOf(HasSubstr("Authorization: Basic QUMwMTIzOnQwa2Vu"),
                                  HasSubstr("Content-Type: application/x-www-form-urlencoded")));
  EXPECT_EQ(
      request.body,
      "To=%2B15552223333&From=%2B15550001111&Body=Request%20received%20for%20repository%20encryption%20key%2C"
      "%20respond%20with%20this%20PIN%20to%20confirm%3A%20482913");
}

TEST(Twilio, WantsAPin) { EXPECT_TRUE(Twilio({answer(201, "")}).channel->wants_pin()); }

TEST(Twilio, ARefusalIsToldWithTwiliosSentenceAndARemedy) {
  Twilio twilio({answer(400, R"({"code":21211,"message":"The 'To' number is not valid.","status":400})")});
  const Error error = error_of(twilio.channel->notify(notice_with_pin(), {}));
  EXPECT_EQ(error.kind(), ErrorKind::kDenied);
  EXPECT_THAT(error.message(), AllOf(HasSubstr("'To' number is not valid"), HasSubstr("21211")));
  EXPECT_THAT(error.remedy(), HasSubstr("SMS_TO"));
  EXPECT_EQ(twilio.server.requests().size(), 1U);
}

TEST(Twilio, AWrongTokenIsToldWithoutTheToken) {
  Twilio twilio({answer(401, R"({"code":20003,"message":"Authenticate","status":401})")});
  const Error error = error_of(twilio.channel->notify(notice_with_pin(), {}));
  EXPECT_EQ(error.kind(), ErrorKind::kDenied);
  EXPECT_THAT(error.remedy(), HasSubstr("TWILIO_TOKEN"));
  EXPECT_THAT(error.message() + error.remedy(), AllOf(Not(HasSubstr("t0ken")), Not(HasSubstr("482913"))));
}

TEST(Twilio, TriesAgainWhenItIsBusyOrOutOfOrder) {
  Twilio twilio({answer(429, "", "Retry-After: 3\r\n"), answer(503, "out of order"), answer(201, "{}")});
  ASSERT_TRUE(twilio.channel->notify(notice_with_pin(), {}));
  EXPECT_THAT(twilio.time.waits, ::testing::ElementsAre(std::chrono::seconds(3), std::chrono::seconds(2)));
}

TEST(Twilio, GivesUpAfterAFewTries) {
  Twilio twilio({answer(503, "out of order")});
  EXPECT_EQ(error_of(twilio.channel->notify(notice_with_pin(), {})).kind(), ErrorKind::kUnavailable);
  EXPECT_EQ(twilio.server.requests().size(), 4U);
}

TEST(Twilio, DoesNotTryAgainAfterTheRequestHasExpired) {
  Twilio twilio({answer(429, "", "Retry-After: 20\r\n")});
  Notice notice = notice_with_pin();
  notice.expires_at = kStart + std::chrono::seconds(10);
  EXPECT_EQ(error_of(twilio.channel->notify(notice, {})).kind(), ErrorKind::kUnavailable);
  EXPECT_EQ(twilio.server.requests().size(), 1U);
}

TEST(Twilio, StopEndsANotice) {
  Twilio twilio({answer(201, "{}")});
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(error_of(twilio.channel->notify(notice_with_pin(), stop.get_token())).kind(),
            ErrorKind::kInterrupted);
}

TEST(Twilio, WritesNeitherPinNorTokenToTheLog) {
  const Log log;
  Twilio twilio({answer(201, "{}")});
  ASSERT_TRUE(twilio.channel->notify(notice_with_pin(), {}));
  EXPECT_THAT(log.text(), AllOf(Not(HasSubstr("482913")), Not(HasSubstr("t0ken"))));
}

TEST(Twilio, PlainHttpIsForLoopbackOnly) {
  const auto channel = make_twilio_channel(twilio_options("http://api.twilio.example"));
  ASSERT_FALSE(channel);
  EXPECT_THAT(channel.error().message(), HasSubstr("TWILIO_API_URI is plain http"));
}

TEST(Twilio, AMissingSettingIsNamed) {
  TwilioOptions options = twilio_options("https://api.twilio.com");
  options.to.clear();
  EXPECT_THAT(make_twilio_channel(std::move(options)).error().message(), HasSubstr("SMS_TO"));
}

TEST(Console, SaysWhoAsksAndHowToApproveAndNeverThePin) {
  const Log log;
  const auto channel = make_channel(ConsoleOptions{}).value();
  ASSERT_TRUE(channel->notify(notice_with_pin(), {}));
  EXPECT_FALSE(channel->wants_pin());
  EXPECT_THAT(log.text(), AllOf(HasSubstr("192.0.2.7"), HasSubstr("zkvgateway request approve ABCDE12345"),
                                Not(HasSubstr("482913"))));
}

// Signatures. The example is Twilio's own, from "Webhooks Security".

const FormFields kFields = {{"CallSid", "CA1234567890ABCDE"},
                            {"Caller", "+12349013030"},
                            {"Digits", "1234"},
                            {"From", "+12349013030"},
                            {"To", "+18005551212"}};
constexpr std::string_view kUrl = "https://mycompany.com/myapp.php?foo=1&bar=2";
constexpr std::string_view kSignature = "0/KCTR6DLpKmkAf8muzZqo1nDgQ=";

bool is_valid(std::string_view url, const FormFields& fields, std::string_view signature,
              std::string_view token = "12345") {
  return twilio_signature_is_valid(bytes_of(token), url, fields, signature);
}

TEST(TwilioSignature, FitsThePublishedExample) { EXPECT_TRUE(is_valid(kUrl, kFields, kSignature)); }

TEST(TwilioSignature, FitsWhateverTheOrderOfTheFields) {
  EXPECT_TRUE(is_valid(kUrl, FormFields(kFields.rbegin(), kFields.rend()), kSignature));
}

TEST(TwilioSignature, FitsWhenOnlyWeSeeTheDefaultPort) {
  EXPECT_TRUE(is_valid("https://mycompany.com:443/myapp.php?foo=1&bar=2", kFields, kSignature));
}

TEST(TwilioSignature, FitsWhenOnlyTwilioSeesTheDefaultPort) {
  // HMAC-SHA-1 of "https://mycompany.com:443/x" under "12345", by openssl dgst.
  EXPECT_TRUE(is_valid("https://mycompany.com/x", {}, "ecAv6V3blD09e64Bk0zrTR16qlo="));
}

TEST(TwilioSignature, AnotherTokenDoesNotFit) { EXPECT_FALSE(is_valid(kUrl, kFields, kSignature, "12346")); }

TEST(TwilioSignature, AnEmptyTokenNeverFits) {
  // HMAC-SHA-1 of "https://mycompany.com/x" under an empty key, by openssl dgst.
  EXPECT_FALSE(is_valid("https://mycompany.com/x", {}, "oloRoiMEWh2s1nFdGpzTBTGzKAk=", ""));
}

TEST(TwilioSignature, AChangedFieldDoesNotFit) {
  FormFields fields = kFields;
  fields[2].second = "1235";
  EXPECT_FALSE(is_valid(kUrl, fields, kSignature));
}

TEST(TwilioSignature, AnAddedFieldDoesNotFit) {
  FormFields fields = kFields;
  fields.emplace_back("Body", "482913");
  EXPECT_FALSE(is_valid(kUrl, fields, kSignature));
}

TEST(TwilioSignature, AnotherAddressDoesNotFit) {
  EXPECT_FALSE(is_valid("https://mycompany.com/myapp.php?foo=1&bar=3", kFields, kSignature));
}

TEST(TwilioSignature, WhatIsNoSignatureDoesNotFit) {
  EXPECT_FALSE(is_valid(kUrl, kFields, ""));
  EXPECT_FALSE(is_valid(kUrl, kFields, "not base64!"));
  EXPECT_FALSE(is_valid(kUrl, kFields, kSignature.substr(0, 24)));
}

}  // namespace
}  // namespace zkv::gateway
