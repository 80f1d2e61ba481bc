// Waiting between tries, and bodies of forms.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <optional>

#include "fake_time.h"
#include "http_server.h"
#include "net/form.h"
#include "net/http_client.h"
#include "net/retry.h"

namespace zkv::net {
namespace {

using std::chrono::milliseconds;
using test::answer;
using test::FakeTime;
using test::HttpServer;
using test::RawAnswer;
using test::ReceivedRequest;

constexpr Time kStart{std::chrono::seconds(1'000'000)};

TEST(Clock, StopEndsAWait) {
  std::stop_source stop;
  auto outcome = std::async(std::launch::async, [&] {
    return Clock::system().wait(std::chrono::hours(1), stop.get_token()).error().kind();
  });
  stop.request_stop();
  EXPECT_EQ(outcome.get(), ErrorKind::kInterrupted);
}

/// Answers with each of `replies` in turn, and then with the last of them.
HttpServer::Handler in_turn(std::vector<RawAnswer> replies) {
  return [replies = std::move(replies), next = std::size_t{0}](const ReceivedRequest&) mutable {
    return replies.at(std::min(next++, replies.size() - 1));
  };
}

Result<HttpResponse> send_to(const HttpServer& server, FakeTime& time, Patience patience) {
  HttpRequest request;
  request.url = server.url();
  return send_patiently(HttpClient({}), request, patience, time.clock(), {});
}

TEST(SendPatiently, WaitsAsLongAsRetryAfterSays) {
  const HttpServer server(in_turn({answer(429, "", "Retry-After: 7\r\n"), answer(200, "at last")}));
  FakeTime time{.at = kStart};
  EXPECT_EQ(send_to(server, time, {.deadline = time.at + std::chrono::seconds(60)})->body.view(), "at last");
  EXPECT_THAT(time.waits, ::testing::ElementsAre(milliseconds(7000)));
}

TEST(SendPatiently, WaitsTwiceAsLongEachTimeWithoutRetryAfter) {
  const HttpServer server(in_turn({answer(503, "")}));
  FakeTime time{.at = kStart};
  const auto response =
      send_to(server, time, {.attempts = 6, .deadline = time.at + std::chrono::seconds(60)});
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 503);
  EXPECT_THAT(time.waits, ::testing::ElementsAre(milliseconds(1000), milliseconds(2000), milliseconds(4000),
                                                 milliseconds(8000), milliseconds(16000)));
}

TEST(SendPatiently, DoesNotStartAWaitThatEndsAfterTheDeadline) {
  const HttpServer server(in_turn({answer(429, "", "Retry-After: 61\r\n")}));
  FakeTime time{.at = kStart};
  EXPECT_EQ(send_to(server, time, {.deadline = time.at + std::chrono::seconds(60)})->status, 429);
  EXPECT_TRUE(time.waits.empty());
}

TEST(SendPatiently, TriesAgainAfterACutConnection) {
  const HttpServer server(
      in_turn({{.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nha", .then_close = true},
               answer(200, "whole now")}));
  FakeTime time{.at = kStart};
  EXPECT_EQ(send_to(server, time, {.deadline = time.at + std::chrono::seconds(60)})->body.view(),
            "whole now");
}

TEST(SendPatiently, TakesARefusalAsAnAnswer) {
  const HttpServer server(in_turn({answer(403, "no")}));
  FakeTime time{.at = kStart};
  EXPECT_EQ(send_to(server, time, {.deadline = time.at + std::chrono::seconds(60)})->status, 403);
  EXPECT_EQ(server.requests().size(), 1U);
}

TEST(RetryAfter, IsSecondsOrADate) {
  const Time at{std::chrono::seconds(784'111'777)};  // Sun, 06 Nov 1994 08:49:37 GMT
  EXPECT_EQ(parse_retry_after("120", at), milliseconds(120'000));
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:49:47 GMT", at), milliseconds(10'000));
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:49:07 GMT", at), milliseconds(0));
  EXPECT_EQ(parse_retry_after("soon", at), std::nullopt);
  EXPECT_EQ(parse_retry_after("-1", at), std::nullopt);
  EXPECT_EQ(parse_retry_after("", at), std::nullopt);
}

TEST(Form, EncodesWhatIsNotUnreserved) {
  FormBuilder form;
  form.add("To", "+1 555").add("B&y", "100% ö=");
  EXPECT_EQ(form.take().view(), "To=%2B1%20555&B%26y=100%25%20%C3%B6%3D");
}

}  // namespace
}  // namespace zkv::net
