// Outgoing HTTP against real servers on loopback: answers, what may be sent where, TLS, failures, stopping.
#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <array>
#include <future>
#include <optional>

#include "http_server.h"
#include "net/address.h"
#include "net/http_client.h"

namespace zkv::net {
namespace {

using std::chrono::milliseconds;
using test::answer;
using test::HttpServer;
using test::RawAnswer;
using test::ReceivedRequest;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

HttpServer::Handler always(RawAnswer reply) {
  return [reply](const ReceivedRequest&) { return reply; };
}

HttpRequest get(const std::string& url) {
  HttpRequest request;
  request.url = url;
  return request;
}

std::string body_of(const Result<HttpResponse>& response) {
  return response ? std::string(response->body.view()) : "error: " + response.error().message();
}

Error error_of(const Result<HttpResponse>& response) {
  return response ? Error::internal(fmt::format("an answer of status {} came", response->status))
                  : response.error();
}

/// An issuer, its file, and the options that trust it.
struct Trust {
  test::TemporaryDirectory directory;
  test::Certificate issuer = test::make_issuer();
  HttpOptions options;

  Trust() {
    write_pem(issuer, directory / "ca.pem");
    options.ca_file = directory / "ca.pem";
  }
};

/// An environment variable for the length of a test.
class Environment {
 public:
  Environment(const char* name, const std::string& value) : name_(name) { ::setenv(name, value.c_str(), 1); }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;
  ~Environment() { ::unsetenv(name_); }

 private:
  const char* name_;
};

TEST(HttpClient, GivesStatusHeadersAndBodyOfAnAnswer) {
  const HttpServer server(always(answer(418, "short and stout", "X-Kind:  teapot \r\n")));
  const auto response = HttpClient({}).send(get(server.url() + "/pot"));
  ASSERT_TRUE(response) << response.error().message();
  EXPECT_EQ(response->status, 418);
  EXPECT_EQ(response->header("x-kind"), "teapot");
  EXPECT_EQ(response->header("x-other"), std::nullopt);
  EXPECT_EQ(response->body.view(), "short and stout");
}

TEST(HttpClient, SendsMethodPathHeadersSecretHeadersAndBody) {
  const HttpServer server(always(answer(200, "")));
  HttpRequest request = get(server.url() + "/a/b?c=d");
  request.method = "POST";
  request.headers = {{"Content-Type", "text/plain"}};
  request.secret_headers.emplace_back("Authorization", SecretBytes::copy_of("Bearer abc"));
  request.body = SecretBytes::copy_of("the body");
  ASSERT_TRUE(HttpClient({}).send(request));
  const auto received = server.requests().at(0);
  EXPECT_EQ(received.line(), "POST /a/b?c=d HTTP/1.1");
  EXPECT_THAT(received.head,
              AllOf(HasSubstr("\r\nContent-Type: text/plain"), HasSubstr("\r\nAuthorization: Bearer abc"),
                    HasSubstr("\r\nUser-Agent: zfs-keyvault")));
  EXPECT_EQ(received.body, "the body");
}

TEST(HttpClient, TellsWhenTheConnectionStandsBeforeTheRequestIsSent) {
  const HttpServer server(always(answer(200, "")));
  HttpRequest request = get(server.url());
  std::size_t sent_before = 1;
  request.on_connected = [&] { sent_before = server.requests().size(); };
  ASSERT_TRUE(HttpClient({}).send(request));
  EXPECT_EQ(sent_before, 0U);
}

TEST(HttpClient, UsesOneConnectionForExchangesThatFollowOneAnother) {
  const HttpServer server(always(answer(200, "again")));
  const HttpClient client({});
  ASSERT_TRUE(client.send(get(server.url())));
  ASSERT_TRUE(client.send(get(server.url())));
  EXPECT_EQ(server.requests().size(), 2U);
  EXPECT_EQ(server.connections(), 1);
}

TEST(HttpClient, ServesSeveralThreadsAtOnce) {
  const HttpServer server([](const ReceivedRequest& request) { return answer(200, request.line()); });
  const HttpClient client({});
  const auto ask = [&](int number) {
    return body_of(client.send(get(server.url() + "/" + std::to_string(number))));
  };
  std::array<std::future<std::string>, 4> answers;
  std::generate(answers.begin(), answers.end(),
                [&, number = 0]() mutable { return std::async(std::launch::async, ask, number++); });
  EXPECT_EQ(answers[0].get(), "GET /0 HTTP/1.1");
  EXPECT_EQ(answers[1].get(), "GET /1 HTTP/1.1");
  EXPECT_EQ(answers[2].get(), "GET /2 HTTP/1.1");
  EXPECT_EQ(answers[3].get(), "GET /3 HTTP/1.1");
}

TEST(HttpClient, RefusesAHeaderThatWouldSmuggleAnother) {
  const HttpServer server(always(answer(200, "")));
  HttpRequest request = get(server.url());
  request.headers = {{"X-Name", "a\r\nX-Forged: b"}};
  EXPECT_EQ(error_of(HttpClient({}).send(request)).kind(), ErrorKind::kInvalid);
  EXPECT_TRUE(server.requests().empty());
}

TEST(HttpClient, AnAnswerLongerThanTheLimitIsAnError) {
  const HttpServer server(always(answer(200, std::string(5000, 'x'))));
  HttpRequest request = get(server.url());
  request.response_limit = 4999;
  const Error error = error_of(HttpClient({}).send(request));
  EXPECT_EQ(error.kind(), ErrorKind::kUnavailable);
  EXPECT_THAT(error.message(), HasSubstr("longer than 4999 bytes"));
}

TEST(HttpClient, HeadersWithoutEndAreAnError) {
  const HttpServer server(always(answer(200, "", "X-Long: " + std::string(70'000, 'x') + "\r\n")));
  EXPECT_EQ(error_of(HttpClient({}).send(get(server.url()))).kind(), ErrorKind::kUnavailable);
}

TEST(HttpClient, SpeaksOverAUnixSocket) {
  const test::TemporaryDirectory directory;
  const HttpServer server(always(answer(200, "from the socket")), {}, directory / "control.sock");
  const auto response =
      HttpClient({.unix_socket = directory / "control.sock"}).send(get("http://gateway/requests"));
  EXPECT_EQ(body_of(response), "from the socket");
}

// What may be sent where.

class PlainHttp : public ::testing::TestWithParam<const char*> {};

TEST_P(PlainHttp, IsRefusedToWhatOnlyLooksLikeLoopback) {
  const Error error = error_of(HttpClient({}).send(get(GetParam())));
  EXPECT_EQ(error.kind(), ErrorKind::kInvalid) << error.message();
}

INSTANTIATE_TEST_SUITE_P(Addresses, PlainHttp,
                         ::testing::Values("http://127.0.0.1@evil.invalid/", "http://localhost.evil.invalid/",
                                           "http://127.0.0.1.evil.invalid/",
                                           "http://localhost:80@evil.invalid/", "http://[::ffff:192.0.2.1]/",
                                           "http://192.0.2.1/", "http://3221225985/", "http://0.0.0.0/",
                                           "http://[::]/", "http://evil.invalid#@127.0.0.1/",
                                           "http://evil.invalid?@127.0.0.1/", "http://128.0.0.1/",
                                           "file:///etc/passwd", "gopher://127.0.0.1/", "127.0.0.1",
                                           "http://", ""));

TEST(Address, KnowsLoopbackInAllItsForms) {
  EXPECT_TRUE(parse_address("http://127.9.8.7")->is_loopback());
  EXPECT_TRUE(parse_address("http://2130706433/")->is_loopback());
  EXPECT_TRUE(parse_address("http://0x7f.1/")->is_loopback());
  EXPECT_TRUE(parse_address("http://[::1]:80/")->is_loopback());
  EXPECT_TRUE(parse_address("http://[0:0:0:0:0:0:0:1]/")->is_loopback());
  EXPECT_TRUE(parse_address("HTTP://LocalHost/")->is_loopback());
}

TEST(Address, IsShownWithoutWhatMayBeSecret) {
  EXPECT_EQ(parse_address("https://me:secret@Host.example:444/path?token=x#y")->shown(),
            "https://host.example:444/path");
  EXPECT_EQ(parse_address("https://host.example/")->shown(), "https://host.example");
  EXPECT_EQ(parse_address("http://[::1]:8080")->shown(), "http://[::1]:8080");
}

TEST(HttpClient, SendsPlainHttpFurtherOnlyWhenAllowed) {
  const HttpServer proxy(always(answer(200, "through the proxy")));
  const Environment environment("http_proxy", proxy.url());
  EXPECT_EQ(error_of(HttpClient({}).send(get("http://far.invalid/"))).kind(), ErrorKind::kInvalid);
  EXPECT_EQ(body_of(HttpClient({.allow_plain_http = true}).send(get("http://far.invalid/"))),
            "through the proxy");
}

TEST(HttpClient, KeepsPlainHttpToLoopbackAwayFromTheProxy) {
  const HttpServer proxy(always(answer(200, "read by the proxy")));
  const HttpServer server(always(answer(200, "direct")));
  const Environment environment("http_proxy", proxy.url());
  EXPECT_EQ(body_of(HttpClient({}).send(get(server.url()))), "direct");
  EXPECT_TRUE(proxy.requests().empty());
}

TEST(HttpClient, AsksTheProxyForATunnelToAnHttpsAddress) {
  const HttpServer proxy(always(answer(403, "no")));
  const Environment environment("https_proxy", proxy.url());
  HttpRequest request = get("https://far.invalid/");
  request.secret_headers.emplace_back("Authorization", SecretBytes::copy_of("Bearer abc"));
  EXPECT_EQ(error_of(HttpClient({}).send(request)).kind(), ErrorKind::kUnavailable);
  EXPECT_EQ(proxy.requests().at(0).line(), "CONNECT far.invalid:443 HTTP/1.1");
  EXPECT_THAT(proxy.requests().at(0).head, Not(HasSubstr("Bearer")));
}

// Redirects.

TEST(HttpClient, GivesARedirectAsItIsUnlessToldToFollow) {
  const HttpServer target(always(answer(200, "target")));
  const HttpServer server(always(answer(302, "", "Location: " + target.url() + "\r\n")));
  const auto response = HttpClient({}).send(get(server.url()));
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 302);
  EXPECT_EQ(body_of(HttpClient({.follow_redirects = true}).send(get(server.url()))), "target");
}

TEST(HttpClient, NeverFollowsARedirectWithASecretHeader) {
  const HttpServer thief(always(answer(200, "")));
  const HttpServer server(always(answer(307, "", "Location: " + thief.url() + "\r\n")));
  HttpRequest request = get(server.url());
  request.secret_headers.emplace_back("Authorization", SecretBytes::copy_of("Bearer abc"));
  const auto response = HttpClient({.follow_redirects = true}).send(request);
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 307);
  EXPECT_TRUE(thief.requests().empty());
}

TEST(HttpClient, DoesNotFollowARedirectToPlainHttpElsewhere) {
  const HttpServer server(always(answer(302, "", "Location: http://evil.invalid/\r\n")));
  const Error error = error_of(HttpClient({.follow_redirects = true}).send(get(server.url())));
  EXPECT_EQ(error.kind(), ErrorKind::kInvalid) << error.message();
}

TEST(HttpClient, DoesNotFollowARedirectFromTlsToPlainHttp) {
  Trust trust;
  const HttpServer plain(always(answer(200, "plain")));
  const auto certificate = make_certificate(trust.issuer);
  const HttpServer server(always(answer(302, "", "Location: " + plain.url() + "\r\n")), &certificate);
  trust.options.follow_redirects = true;
  EXPECT_THAT(error_of(HttpClient(trust.options).send(get(server.url()))).message(),
              HasSubstr("away from TLS"));
  EXPECT_TRUE(plain.requests().empty());
}

TEST(HttpClient, EndsACircleOfRedirects) {
  const HttpServer server(always(answer(302, "", "Location: /again\r\n")));
  const Error error = error_of(HttpClient({.follow_redirects = true}).send(get(server.url())));
  EXPECT_THAT(error.message(), HasSubstr("redirects more than 5 times"));
  EXPECT_EQ(server.requests().size(), 6U);
}

// TLS.

TEST(HttpClientTls, TrustsTheIssuerInTheGivenFile) {
  const Trust trust;
  const auto certificate = make_certificate(trust.issuer);
  const HttpServer server(always(answer(200, "over TLS")), &certificate);
  EXPECT_EQ(body_of(HttpClient(trust.options).send(get(server.url()))), "over TLS");
}

TEST(HttpClientTls, AnUnknownIssuerIsNamedWithTheOptionThatHelps) {
  const auto certificate = make_certificate(test::make_issuer());
  const HttpServer server(always(answer(200, "")), &certificate);
  const Error error = error_of(HttpClient({}).send(get(server.url())));
  EXPECT_EQ(error.kind(), ErrorKind::kUnavailable);
  EXPECT_THAT(error.message(), HasSubstr("issuer that is not trusted"));
  EXPECT_THAT(error.remedy(), HasSubstr("--cafile"));
  EXPECT_TRUE(server.requests().empty());
}

TEST(HttpClientTls, ASelfSignedCertificateIsCalledThat) {
  const auto certificate = test::make_issuer();
  const HttpServer server(always(answer(200, "")), &certificate);
  const Error error = error_of(HttpClient({}).send(get(server.url())));
  EXPECT_THAT(error.message(), HasSubstr("self-signed"));
  EXPECT_THAT(error.remedy(), HasSubstr("--cafile"));
}

TEST(HttpClientTls, AnExpiredCertificateIsCalledThat) {
  const Trust trust;
  const auto certificate = make_certificate(
      trust.issuer, {.valid_from = std::chrono::hours(-24), .valid_until = std::chrono::hours(-1)});
  const HttpServer server(always(answer(200, "")), &certificate);
  EXPECT_THAT(error_of(HttpClient(trust.options).send(get(server.url()))).message(),
              HasSubstr("has expired"));
}

TEST(HttpClientTls, ACertificateFromTheFutureHintsAtTheClock) {
  const Trust trust;
  const auto certificate = make_certificate(trust.issuer, {.valid_from = std::chrono::hours(1)});
  const HttpServer server(always(answer(200, "")), &certificate);
  const Error error = error_of(HttpClient(trust.options).send(get(server.url())));
  EXPECT_THAT(error.message(), HasSubstr("not valid yet"));
  EXPECT_THAT(error.remedy(), HasSubstr("clock"));
}

TEST(HttpClientTls, AWrongNameIsToldWithTheNamesThatTheCertificateHas) {
  const Trust trust;
  const auto certificate = make_certificate(trust.issuer, {.names = "DNS:other.example,DNS:third.example"});
  const HttpServer server(always(answer(200, "")), &certificate);
  const Error error = error_of(HttpClient(trust.options).send(get(server.url())));
  EXPECT_THAT(error.message(), AllOf(HasSubstr("other.example"), HasSubstr("third.example")));
  EXPECT_TRUE(server.requests().empty());
}

TEST(HttpClientTls, AnUnreadableFileOfIssuersIsNamed) {
  const Trust trust;
  const auto certificate = make_certificate(trust.issuer);
  const HttpServer server(always(answer(200, "")), &certificate);
  const Error error = error_of(HttpClient({.ca_file = "/nonexistent/ca.pem"}).send(get(server.url())));
  EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
  EXPECT_THAT(error.message(), HasSubstr("/nonexistent/ca.pem"));
}

TEST(HttpClientTls, APlainServerBehindAnHttpsAddressIsTold) {
  const HttpServer server(always({.bytes = "HTTP/1.1 400 Bad Request\r\n\r\n", .then_close = true}));
  const Error error = error_of(HttpClient({}).send(get(fmt::format("https://127.0.0.1:{}/", server.port()))));
  EXPECT_EQ(error.kind(), ErrorKind::kUnavailable);
  EXPECT_THAT(error.message(), HasSubstr("no TLS connection"));
}

// Failures.

TEST(HttpClient, NothingListening) {
  const Error error =
      error_of(HttpClient({}).send(get(fmt::format("http://127.0.0.1:{}", test::unused_port()))));
  EXPECT_EQ(error.kind(), ErrorKind::kUnavailable);
  EXPECT_THAT(error.message(), HasSubstr("connection refused"));
}

TEST(HttpClient, ANameThatDoesNotResolve) {
  const Error error = error_of(HttpClient({}).send(get("https://no-such-name.invalid/")));
  EXPECT_EQ(error.kind(), ErrorKind::kUnavailable);
  EXPECT_THAT(error.message(), HasSubstr("'no-such-name.invalid' cannot be resolved"));
}

TEST(HttpClient, AnAnswerCutOffInItsMiddleIsNoAnswer) {
  const HttpServer server(
      always({.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", .then_close = true}));
  const Error error = error_of(HttpClient({}).send(get(server.url())));
  EXPECT_EQ(error.kind(), ErrorKind::kUnavailable);
  EXPECT_THAT(error.message(), HasSubstr("cut off"));
}

TEST(HttpClient, AConnectionClosedWithoutAnAnswer) {
  const HttpServer server(always({.bytes = "", .then_close = true}));
  EXPECT_THAT(error_of(HttpClient({}).send(get(server.url()))).message(), HasSubstr("cut off"));
}

TEST(HttpClient, AServerThatStallsRunsIntoTheTimeLimit) {
  const HttpServer server(
      always({.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", .then_hang = true}));
  HttpRequest request = get(server.url());
  request.timeout = milliseconds(50);
  EXPECT_THAT(error_of(HttpClient({}).send(request)).message(), HasSubstr("no whole answer within 0.05 s"));
}

TEST(HttpClient, AServerWithoutTlsHandshakeRunsIntoTheTimeLimit) {
  const HttpServer server(always({.bytes = "", .then_hang = true}));
  HttpRequest request = get(fmt::format("https://127.0.0.1:{}/", server.port()));
  request.connect_timeout = milliseconds(50);
  EXPECT_THAT(error_of(HttpClient({}).send(request)).message(), HasSubstr("no TLS within 0.05 s"));
}

TEST(HttpClient, AServerThatTakesNoConnectionRunsIntoTheTimeLimit) {
  const test::FullListener listener;
  HttpRequest request = get(fmt::format("http://127.0.0.1:{}/", listener.port()));
  request.connect_timeout = milliseconds(50);
  EXPECT_THAT(error_of(HttpClient({}).send(request)).message(), HasSubstr("did not take the connection"));
}

/// What stood in the way of a request to `url`.
std::optional<Obstacle> obstacle_to(const std::string& url, const HttpOptions& options = {}) {
  std::optional<Obstacle> told;
  HttpRequest request = get(url);
  request.connect_timeout = std::chrono::seconds(20);
  request.on_obstacle = [&](Obstacle obstacle) { told = obstacle; };
  const bool has_answer = HttpClient(options).send(request).has_value();
  EXPECT_NE(has_answer, told.has_value());
  return told;
}

TEST(HttpClient, TellsWhatStoodInTheWay) {
  const auto certificate = test::make_issuer();
  const HttpServer untrusted(always(answer(200, "")), &certificate);
  const HttpServer plain(always(answer(200, "")));
  EXPECT_EQ(obstacle_to("https://no-such-name.invalid/"), Obstacle::kName);
  EXPECT_EQ(obstacle_to(fmt::format("https://127.0.0.1:{}/", test::unused_port())), Obstacle::kConnection);
  // TCP to a broadcast address: the kernel knows no way there.
  EXPECT_EQ(obstacle_to("https://127.255.255.255/"), Obstacle::kRoute);
  EXPECT_EQ(obstacle_to(untrusted.url()), Obstacle::kTrust);
  EXPECT_EQ(obstacle_to(fmt::format("https://127.0.0.1:{}/", plain.port())), Obstacle::kTrust);
  EXPECT_EQ(obstacle_to(plain.url()), std::nullopt);
}

TEST(HttpClientTls, TellsWhichCertificateOfTheServerEndsFirst) {
  const Trust trust;
  const auto certificate = make_certificate(trust.issuer, {.valid_until = std::chrono::hours(2)});
  const HttpServer server(always(answer(200, "")), &certificate);
  const auto response = HttpClient(trust.options).send(get(server.url()));
  ASSERT_TRUE(response && response->certificates_end);
  EXPECT_GT(*response->certificates_end, now() + std::chrono::hours(1));
  EXPECT_LT(*response->certificates_end, now() + std::chrono::hours(3));
}

TEST(HttpClient, WhatIsNotHttpIsCalledThat) {
  const HttpServer server(always({.bytes = "SSH-2.0-OpenSSH_9.2\r\n", .then_close = true}));
  EXPECT_THAT(error_of(HttpClient({}).send(get(server.url()))).message(), HasSubstr("does not speak HTTP"));
}

// Stopping.

TEST(HttpClient, StopEndsAWaitingExchange) {
  const HttpServer server(always({.bytes = "", .then_hang = true}));
  std::stop_source stop;
  HttpRequest request = get(server.url());
  request.timeout = milliseconds(0);
  auto outcome = std::async(std::launch::async,
                            [&] { return error_of(HttpClient({}).send(request, stop.get_token())); });
  server.await_requests(1);
  stop.request_stop();
  EXPECT_EQ(outcome.get().kind(), ErrorKind::kInterrupted);
}

TEST(HttpClient, AStopBeforehandSendsNothing) {
  const HttpServer server(always(answer(200, "")));
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(error_of(HttpClient({}).send(get(server.url()), stop.get_token())).kind(),
            ErrorKind::kInterrupted);
  EXPECT_TRUE(server.requests().empty());
}

}  // namespace
}  // namespace zkv::net
