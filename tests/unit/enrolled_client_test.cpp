// Asking a gateway of version 2 that means no good: its words, and how often it has this host ask.
#include "host/enrolled_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <numeric>

#include "crypto/random.h"
#include "gateway_answers.h"

namespace zkv::host {
namespace {

using namespace std::chrono_literals;
using test::response;
using testing::AllOf;
using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr auto* kDenied = R"({"id": "7F3K", "state": "denied"})";
constexpr auto* kPending = R"({"id": "7F3K", "state": "pending"})";

struct PlayedAnswer {
  long status;
  std::string body;
};

/// A gateway that proves who it is, takes every request, and answers polls as the test says; the last answer
/// again and again. Pauses pass at once and are written down.
class EnrolledClient : public testing::Test {
 protected:
  EnrolledClient() {
    enrolment_.address = "https://gw.example";
    enrolment_.gateway = protocol::key_id(gateway_.verifying_key());
    keys_.identity = std::make_unique<protocol::KeySigner>(crypto::SigningKey::make());
    keys_.local_share = crypto::random_secret(protocol::kShareSize);
    plea_.number = "47";
    options_.backoff = {.first = 10min, .most = 10min};
    options_.say = [this](const std::string& line) { lines_.push_back(line); };
    options_.wait = [this](std::chrono::milliseconds time, const Deadline&, const std::stop_token&) {
      waits_.push_back(time);
      return true;
    };
  }

  Result<Released> ask(std::deque<PlayedAnswer> polls, const std::stop_token& stop = {}) {
    polls_ = std::move(polls);
    return ask_enrolled_gateway(enrolment_, keys_, plea_, options_, exchange(), stop);
  }

  Exchange exchange() {
    return [this](const net::HttpRequest& request, const std::stop_token&) -> Result<net::HttpResponse> {
      if (request.url.ends_with("/v2/gateway")) return response(200, statement());
      if (request.url.ends_with("/words")) return response(204, "");
      if (request.method == "POST") {
        ++requests_;
        return response(201, taken_);
      }
      const auto answer = polls_.front();
      if (polls_.size() > 1) polls_.pop_front();
      return response(answer.status, answer.body);
    };
  }

  std::string statement() const {
    protocol::GatewayStatement statement;
    statement.gateway = enrolment_.gateway;
    statement.signing = gateway_.verifying_key();
    statement.name = "gw";
    statement.time = now();
    return protocol::to_json(protocol::seal_message(statement, gateway_));
  }

  std::chrono::milliseconds waited() const { return std::accumulate(waits_.begin(), waits_.end(), 0ms); }

  crypto::SigningKey gateway_ = crypto::SigningKey::make();
  Enrolment enrolment_;
  EnrolmentKeys keys_;
  Plea plea_;
  AskOptions options_;
  std::string taken_ = kPending;
  std::deque<PlayedAnswer> polls_;
  unsigned requests_ = 0;
  std::vector<std::string> lines_;
  std::vector<std::chrono::milliseconds> waits_;
};

TEST_F(EnrolledClient, APersonsNoEndsTheAsking) {
  const auto asked = ask({{200, kDenied}});
  ASSERT_FALSE(asked);
  EXPECT_EQ(asked.error().kind(), ErrorKind::kDenied);
  EXPECT_THAT(asked.error().message(), HasSubstr("request 7F3K was denied"));
  EXPECT_THAT(lines_, ElementsAre("waiting for approval of request 7F3K at https://gw.example, number 47"));
}

// --- words that nobody signed ---

TEST_F(EnrolledClient, ARequestIsNotTakenByAnIdThatSaysMoreThanAName) {
  for (const auto* id : {R"(x\nREADY=1\nMAINPID=4242)", R"(x\u001b[2J)", "x y", "7F3K\u202e", ""}) {
    taken_ = R"({"state": "pending", "id": ")" + std::string(id) + R"("})";
    const auto tried = try_enrolled_gateway(enrolment_, keys_, plea_, exchange(), {});
    ASSERT_FALSE(tried) << id;
    EXPECT_EQ(tried.error().message(), "the gateway's answer cannot be read");
  }
}

TEST_F(EnrolledClient, AnIdHasAtMost64Characters) {
  taken_ = R"({"state": "pending", "id": ")" + std::string(64, 'x') + R"("})";
  EXPECT_TRUE(try_enrolled_gateway(enrolment_, keys_, plea_, exchange(), {}));
  taken_ = R"({"state": "pending", "id": ")" + std::string(65, 'x') + R"("})";
  EXPECT_FALSE(try_enrolled_gateway(enrolment_, keys_, plea_, exchange(), {}));
}

TEST_F(EnrolledClient, APollWithSuchAnIdSaysNothing) {
  ASSERT_FALSE(ask({{200, R"({"id": "x\nREADY=1", "state": "denied"})"}, {200, kDenied}}));
  EXPECT_THAT(lines_, AllOf(Contains(HasSubstr("answer cannot be read")), Each(Not(HasSubstr("READY")))));
}

TEST_F(EnrolledClient, AStateThatNobodyKnowsIsToldInPlainText) {
  ASSERT_FALSE(ask({{200, R"({"id": "7F3K", "state": "x\nREADY=1\u001b[2J"})"}, {200, kDenied}}));
  EXPECT_THAT(lines_, Contains(HasSubstr("request 7F3K ended: x?READY=1?[2J")));
  EXPECT_THAT(lines_, Each(AllOf(Not(HasSubstr("\n")), Not(HasSubstr("\x1b")))));
}

TEST_F(EnrolledClient, AStateIsAWordAndNoSpeech) {
  ASSERT_FALSE(ask({{200, R"({"id": "7F3K", "state": ")" + std::string(33, 'x') + R"("})"}, {200, kDenied}}));
  EXPECT_THAT(lines_, AllOf(Contains(HasSubstr("answer cannot be read")), Each(Not(HasSubstr("xxx")))));
}

// --- how often it asks ---

TEST_F(EnrolledClient, AGatewayThatAnswersPollsAtOnceIsPolledOnceASecond) {
  const PlayedAnswer pending{200, kPending};
  const PlayedAnswer approved{200, R"({"id": "7F3K", "state": "approved"})"};
  const auto begin = std::chrono::steady_clock::now();
  ASSERT_FALSE(ask({pending, pending, approved, approved, pending, {200, kDenied}}));
  EXPECT_EQ(requests_, 1U);
  EXPECT_EQ(waits_.size(), 5U);
  EXPECT_GE(waited() + (std::chrono::steady_clock::now() - begin), 5s);
}

TEST_F(EnrolledClient, AGatewayThatForgetsOrEndsEachRequestGetsTheSecondNewOneAfterAPause) {
  const PlayedAnswer forgotten{404, ""};
  const PlayedAnswer ended{200, R"({"id": "7F3K", "state": "foo"})"};
  ASSERT_FALSE(ask({forgotten, ended, forgotten, ended, {200, kDenied}}));
  EXPECT_EQ(requests_, 5U);
  ASSERT_EQ(waits_.size(), 4U);
  EXPECT_EQ(waits_.front(), 0ms);
  EXPECT_GT(waited(), 1s) << "three random waits of up to 10 minutes";
}

TEST_F(EnrolledClient, WithoutATimeLimitARequestThatNobodyDecidedIsFollowedByAQuarterOfAnHour) {
  const PlayedAnswer expired{200, R"({"id": "7F3K", "state": "expired"})"};
  ASSERT_FALSE(ask({expired, expired, {200, kDenied}}));
  EXPECT_EQ(requests_, 3U);
  EXPECT_THAT(waits_, ElementsAre(15min, 15min));
  EXPECT_THAT(lines_,
              Contains("nobody decided about request 7F3K at https://gw.example; trying again in 15 min"));
}

TEST_F(EnrolledClient, AStopEndsThatQuarterOfAnHour) {
  std::stop_source stop;
  options_.wait = host::wait;
  options_.say = [&](const std::string& line) {
    if (line.ends_with("trying again in 15 min")) stop.request_stop();
  };
  const auto asked = ask({{200, R"({"id": "7F3K", "state": "expired"})"}}, stop.get_token());
  ASSERT_FALSE(asked);
  EXPECT_EQ(asked.error().kind(), ErrorKind::kInterrupted);
  EXPECT_EQ(requests_, 1U);
}

TEST_F(EnrolledClient, AStopEndsThePauseBetweenTwoPolls) {
  std::stop_source stop;
  options_.wait = [&](std::chrono::milliseconds time, const Deadline& deadline,
                      const std::stop_token& token) {
    stop.request_stop();
    return host::wait(time, deadline, token);
  };
  const auto asked = ask({{200, kPending}}, stop.get_token());
  ASSERT_FALSE(asked);
  EXPECT_EQ(asked.error().kind(), ErrorKind::kInterrupted);
}

TEST_F(EnrolledClient, WithATimeLimitTheNextRequestComesAtOnce) {
  options_.deadline = std::chrono::steady_clock::now() + 1h;
  ASSERT_FALSE(ask({{200, R"({"id": "7F3K", "state": "expired"})"}, {200, kDenied}}));
  EXPECT_EQ(requests_, 2U);
  EXPECT_THAT(waits_, ElementsAre(0ms));
}

}  // namespace
}  // namespace zkv::host
