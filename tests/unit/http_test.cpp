// The gateway's HTTP server: methods, limits, slow and broken clients, stopping, the control socket.
#include "http_world.h"

namespace zkv::gateway::http {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using testing::Contains;
using testing::HasSubstr;
using testing::StartsWith;

TEST_F(HttpTest, AnUnknownPathIsAProblemDocument) {
  const auto reply = ask(get("/nowhere"));
  EXPECT_THAT(reply, StartsWith("HTTP/1.1 404 Not Found\r\n"));
  EXPECT_THAT(reply, HasSubstr("Content-Type: application/problem+json\r\n"));
  EXPECT_THAT(reply, HasSubstr("\"status\":404"));
  EXPECT_THAT(reply, HasSubstr("problems/not-found"));
}

TEST_F(HttpTest, AnotherMethodIsA405ThatNamesTheRightOne) {
  const auto reply = ask(post("/request-keys", ""));
  EXPECT_THAT(reply, StartsWith("HTTP/1.1 405 Method Not Allowed\r\n"));
  EXPECT_THAT(reply, HasSubstr("Allow: GET\r\n"));
}

TEST_F(HttpTest, AHeadOfTheKeyAsksNobody) {
  const auto reply = ask("HEAD /request-keys HTTP/1.1\r\nHost: g\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(reply, StartsWith("HTTP/1.1 405 "));
  EXPECT_TRUE(service_.asks_.empty());
}

TEST_F(HttpTest, HeadOfLivezHasTheLengthButNoBody) {
  const auto reply = ask("HEAD /livez HTTP/1.1\r\nHost: g\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(reply, HasSubstr("Content-Length: 6\r\n"));
  EXPECT_THAT(reply, testing::EndsWith("\r\n\r\n"));
}

TEST_F(HttpTest, ReadinessIsTheStores) {
  EXPECT_THAT(ask(get("/readyz")), StartsWith("HTTP/1.1 200 OK\r\n"));
  service_.health_ = tl::unexpected(Error::io("disk of secrets failed"));
  const auto reply = ask(get("/readyz"));
  EXPECT_THAT(reply, StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(reply, testing::Not(HasSubstr("disk of secrets")));
}

TEST_F(HttpTest, OneConnectionCarriesSeveralRequests) {
  Client client(port());
  const std::string keep = "GET /livez HTTP/1.1\r\nHost: g\r\n\r\n";
  EXPECT_THAT(client.send(keep).read_until("alive\n"), HasSubstr("Connection: keep-alive"));
  EXPECT_THAT(client.send(keep + keep).read_until("alive\n"), HasSubstr("200 OK"));
}

TEST_F(HttpTest, AHeaderBeyondEightKibIsA431) {
  EXPECT_THAT(ask(get("/livez", "X-Filler: " + std::string(9000, 'x') + "\r\n")),
              StartsWith("HTTP/1.1 431 "));
  EXPECT_THAT(service_.refusals(), Contains(StartsWith("refused.http 127.0.0.1 431")));
}

TEST_F(HttpTest, ABodyBeyondSixtyFourKibIsA413) {
  const auto reply = ask(post("/incoming-message", std::string(80'000, 'x')));
  EXPECT_THAT(reply, StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(reply, HasSubstr("problems/too-large"));
}

TEST_F(HttpTest, AChunkedBodyBeyondSixtyFourKibIsA413) {
  EXPECT_THAT(
      ask("POST /incoming-message HTTP/1.1\r\nHost: g\r\nTransfer-Encoding: chunked\r\n\r\n12000\r\n" +
          std::string(0x12000, 'x') + "\r\n0\r\n\r\n"),
      StartsWith("HTTP/1.1 413 "));
}

TEST_F(HttpTest, WhatIsNotHttpIsA400) {
  EXPECT_THAT(ask("SSH-2.0-OpenSSH_9.2\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(ask("GET /livez HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(ask("GET /livez HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(ask("GET http://other.example/livez HTTP/1.1\r\nHost: a\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
}

TEST_F(HttpTest, LengthAndChunksTogetherAreRefusedAsSmuggling) {
  EXPECT_THAT(
      ask("POST /incoming-message HTTP/1.1\r\nHost: g\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n"
          "\r\n0\r\n\r\n"),
      StartsWith("HTTP/1.1 400 "));
}

TEST_F(HttpTest, ABodyWhoseEndIsUnclearIsRefusedAndNothingAfterItIsAnswered) {
  const std::string second = "GET /livez HTTP/1.1\r\nHost: g\r\n\r\n";
  const auto answer_to = [&](const std::string& fields, const std::string& version = "1.1") {
    Client client(port());
    const auto all =
        client.send("POST /livez HTTP/" + version + "\r\nHost: g\r\n" + fields + "\r\n" + second).read_all();
    EXPECT_EQ(all.find("HTTP/1.1", 1), std::string::npos) << fields << all;
    EXPECT_THAT(all, HasSubstr("Connection: close")) << fields;
    return all.substr(0, 13);
  };
  for (const auto* coding : {"xchunked", "identity", "gzip", "chunkedx", "x"}) {
    EXPECT_EQ(answer_to("Transfer-Encoding: " + std::string(coding) + "\r\n"), "HTTP/1.1 501 ") << coding;
  }
  for (const auto* coding :
       {"", "chunked, chunked", "chunked,", ", chunked", "gzip, chunked", "chunked, gzip"}) {
    EXPECT_EQ(answer_to("Transfer-Encoding: " + std::string(coding) + "\r\n"), "HTTP/1.1 400 ") << coding;
  }
  for (const auto* fields :
       {"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: gzip\r\nContent-Length: 0\r\n",
        "Content-Length: 0\r\nTransfer-Encoding: identity\r\n", "Content-Length: 0\r\nContent-Length: 0\r\n",
        "Content-Length: 0, 0\r\n", "Content-Length: +0\r\n", "Content-Length: 0x0\r\n"}) {
    EXPECT_EQ(answer_to(fields), "HTTP/1.1 400 ") << fields;
  }
  EXPECT_EQ(answer_to("Transfer-Encoding: chunked\r\n", "1.0"), "HTTP/1.1 400 ");
}

TEST_F(HttpTest, ATrailerOrChunksWithoutEndAreA413) {
  const std::string head = "POST /nowhere HTTP/1.1\r\nHost: g\r\nTransfer-Encoding: chunked\r\n\r\n";
  std::string trailer = "0\r\n";
  for (int i = 0; i < 200; ++i) trailer += "X" + std::to_string(i) + ": " + std::string(4000, 'a') + "\r\n";
  EXPECT_THAT(ask(head + trailer), StartsWith("HTTP/1.1 413 "));
  std::string crumbs;
  for (int i = 0; i < 30'000; ++i) crumbs += "1;" + std::string(20, 'x') + "\r\na\r\n";
  EXPECT_THAT(ask(head + crumbs), StartsWith("HTTP/1.1 413 "));
}

TEST_F(HttpTest, ATrailerWithinBoundsIsReadToItsEnd) {
  EXPECT_THAT(
      ask("POST /nowhere HTTP/1.1\r\nHost: g\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
          "2;of=some\r\nab\r\n0\r\nX-Late: yes\r\nHost: other\r\n\r\n"),
      StartsWith("HTTP/1.1 404 "));
}

TEST_F(HttpTest, AChunkedBodyIsReadInAnyCaseOfTheWord) {
  EXPECT_THAT(
      ask("POST /nowhere HTTP/1.1\r\nHost: g\r\nConnection: close\r\nTransfer-Encoding: Chunked\r\n\r\n"
          "3\r\nabc\r\n0\r\n\r\n"),
      StartsWith("HTTP/1.1 404 "));
}

TEST_F(HttpTest, AHeaderThatComesByTheByteIsEndedAtItsRequestsDeadlineWhileOthersAreServed) {
  options_.timeouts.request = 300ms;
  Client slow(port());
  slow.send("GET /livez HTTP/1.1\r\nHost: g\r\nX: ");
  EXPECT_THAT(ask(get("/livez")), StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(slow.drip(), StartsWith("HTTP/1.1 408 "));
  EXPECT_THAT(service_.refusals(), Contains(StartsWith("refused.http 127.0.0.1 408 ")));
}

TEST_F(HttpTest, ABodyThatComesByTheByteIsEndedAtItsRequestsDeadline) {
  options_.timeouts.request = 300ms;
  Client slow(port());
  slow.send("POST /incoming-message HTTP/1.1\r\nHost: g\r\nContent-Length: 10000\r\n\r\n");
  EXPECT_THAT(slow.drip(), StartsWith("HTTP/1.1 408 "));
}

TEST_F(HttpTest, AClientThatDoesNotReadItsAnswerIsEndedAndHasNotGotIt) {
  options_.timeouts.write = 300ms;
  const std::string more_than_is_buffered(16'000'000, 'k');
  service_.share_ = std::make_shared<const SecretBytes>(SecretBytes::copy_of(more_than_is_buffered));
  Client deaf(port());
  deaf.keep_little();
  deaf.send(get("/request-keys"));
  ASSERT_TRUE(service_.wait_for_asks(1));
  service_.answer(Answer::Outcome::kReleased);
  ASSERT_TRUE(service_.wait_until([this] { return !service_.delivered_.empty(); }));
  EXPECT_FALSE(service_.delivered_.front());
  EXPECT_THAT(service_.refusals(), Contains("refused.http 127.0.0.1 an answer was not read in time"));
}

TEST_F(HttpTest, AnIdleConnectionIsEnded) {
  options_.timeouts.idle = 200ms;
  Client client(port());
  const auto all = client.send("GET /livez HTTP/1.1\r\nHost: g\r\n\r\n").read_all();
  EXPECT_THAT(all, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(all, testing::EndsWith("alive\n"));
}

TEST_F(HttpTest, AnAddressMayNotHoldMoreConnectionsThanItsShare) {
  options_.connections_per_address = 1;
  Client holder(port());
  holder.send("GET /livez HTTP/1.1\r\nHost: g\r\n\r\n").read_until("alive\n");
  EXPECT_EQ(ask(get("/livez")), "");
  EXPECT_THAT(ask(get("/livez"), "127.0.0.2"), StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(service_.refusals(), Contains(StartsWith("refused.connections 127.0.0.1")));
}

TEST_F(HttpTest, StoppingTellsWaitingClientsToComeBackAndEndsIdleConnections) {
  Client idle(port(), "127.0.0.2");
  idle.send("GET /livez HTTP/1.1\r\nHost: g\r\n\r\n").read_until("alive\n");
  Client waiting(port());
  waiting.send("GET /request-keys HTTP/1.1\r\nHost: g\r\n\r\n");
  ASSERT_TRUE(service_.wait_for_asks(1));
  server_->close_down();
  service_.stop();
  const auto reply = waiting.read_all();
  EXPECT_THAT(reply, StartsWith("HTTP/1.1 503 Service Unavailable\r\n"));
  EXPECT_THAT(reply, HasSubstr("Retry-After: 1\r\n"));
  EXPECT_EQ(idle.read_all(), "");
  waiting.close();
  idle.close();
  const auto before = std::chrono::steady_clock::now();
  server_->finish(kPatience);
  EXPECT_LT(std::chrono::steady_clock::now() - before, kPatience);
}

TEST_F(HttpTest, TheControlSocketListsAndDecidesInTheUsersName) {
  port();
  const auto control = [&](const std::string& text) {
    return Client(folder_ / "control.sock").send(text).read_all();
  };
  const std::string user = "console:uid " + std::to_string(::geteuid());
  EXPECT_THAT(control(get("/control/requests")), HasSubstr("\"state\":\"pending\""));
  EXPECT_THAT(control(get("/control/requests/A1")), HasSubstr("\"id\":\"A1\""));
  EXPECT_THAT(control(get("/control/requests/B2")), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(control(post("/control/requests/A1/approve", "")),
              HasSubstr("\"decided_by\":\"" + user + "\""));
  EXPECT_THAT(control(post("/control/requests/B2/approve", "")), StartsWith("HTTP/1.1 409 "));
  EXPECT_THAT(control(post("/control/requests/A1/deny", "not me")), HasSubstr("\"reason\":\"not me\""));
  EXPECT_THAT(control(post("/control/approve-all", "")), HasSubstr("\"approved\":3"));
  EXPECT_EQ(fs::status(folder_ / "control.sock").permissions(),
            fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(HttpTest, NothingOfTheControlSocketIsServedToTheNetwork) {
  EXPECT_THAT(ask(post("/control/approve-all", "")), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(ask(get("/control/requests")), StartsWith("HTTP/1.1 404 "));
}

TEST_F(HttpTest, ASecondGatewayDoesNotTakeTheControlSocketAway) {
  port();
  ServerOptions second;
  second.listen.host = parse_address("127.0.0.1").value();
  second.control_socket = folder_ / "control.sock";
  const auto started = Server::start(std::move(second), service_);
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().kind(), ErrorKind::kExists);
}

TEST_F(HttpTest, ACertificateThatIsNotThereIsAnErrorThatNamesIt) {
  options_.tls_certificate = folder_ / "none.pem";
  options_.tls_key = folder_ / "none.key";
  const auto started = Server::start(std::move(options_), service_);
  ASSERT_FALSE(started);
  EXPECT_THAT(started.error().message(), HasSubstr("none.pem cannot be used"));
}

}  // namespace
}  // namespace zkv::gateway::http
