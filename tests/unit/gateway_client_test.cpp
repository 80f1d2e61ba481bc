// Asking one gateway or several: patience, races, stops, and gateways that mean no good.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <numeric>
#include <thread>

#include "gateway_answers.h"
#include "host/gateway_race.h"
#include "http_server.h"

namespace zkv::host {
namespace {

using namespace std::chrono_literals;
using test::answer;
using test::HttpServer;
using test::kKey;
using test::ReceivedRequest;
using test::response;
using test::TemporaryDirectory;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr BackoffOptions kHasty{.first = 1ms, .most = 2ms};

/// Lines that were said, and a way to wait for one.
class Lines {
 public:
  std::function<void(const std::string&)> sink() {
    return [this](const std::string& line) {
      const std::lock_guard lock(mutex_);
      lines_.push_back(line);
      changed_.notify_all();
    };
  }
  void await(const std::string& part) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] {
      return std::any_of(lines_.begin(), lines_.end(),
                         [&](const std::string& line) { return line.find(part) != std::string::npos; });
    });
  }
  std::vector<std::string> all() {
    const std::lock_guard lock(mutex_);
    return lines_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> lines_;
};

Exchange real_exchange(net::HttpOptions options = {}) {
  return [client = net::HttpClient(std::move(options))](const net::HttpRequest& request,
                                                        const std::stop_token& stop) {
    return client.send(request, stop);
  };
}

AskOptions hasty(Lines& lines, std::chrono::milliseconds limit = 60s) {
  AskOptions options;
  options.deadline = std::chrono::steady_clock::now() + limit;
  options.backoff = kHasty;
  options.say = lines.sink();
  return options;
}

std::string text_of(const Result<SecretBytes>& key) {
  return key ? std::string(key->view()) : "error: " + key.error().message();
}

std::string token_in(const ReceivedRequest& request) {
  const std::size_t at = request.head.find("ZKV-Request-Token: ");
  return at == std::string::npos ? "" : request.head.substr(at + 19, 43);
}

/// An exchange that gives prepared outcomes one after the other; the last one again and again.
class Script {
 public:
  explicit Script(std::deque<std::function<Result<net::HttpResponse>()>> outcomes)
      : outcomes_(std::move(outcomes)) {}
  Exchange exchange() {
    return [this](const net::HttpRequest&, const std::stop_token&) {
      ++calls;
      auto outcome = outcomes_.front();
      if (outcomes_.size() > 1) outcomes_.pop_front();
      return outcome();
    };
  }
  int calls = 0;

 private:
  std::deque<std::function<Result<net::HttpResponse>()>> outcomes_;
};

Result<net::HttpResponse> refused() { return Error::unavailable("connection refused"); }

TEST(AskGateway, SendsItsTokenToTheAddressAndReturnsTheKey) {
  HttpServer server([](const ReceivedRequest&) { return answer(200, kKey); });
  Lines lines;
  const auto key = ask_gateways({server.url() + "/request-keys"}, hasty(lines), real_exchange(), {});
  EXPECT_EQ(text_of(key), kKey);
  ASSERT_EQ(server.requests().size(), 1U);
  EXPECT_EQ(server.requests()[0].line(), "GET /request-keys HTTP/1.1");
  EXPECT_EQ(token_in(server.requests()[0]).size(), 43U);
  EXPECT_THAT(lines.all(), ElementsAre(HasSubstr("waiting for approval of the request at " + server.url())));
}

/// The pauses of a host whose first four tries meet `obstacle`, and which is answered then.
std::vector<std::chrono::milliseconds> pauses_after(net::Obstacle obstacle) {
  AskOptions options;
  options.backoff = {.first = 10min, .most = 10min, .without_network = 7ms};
  std::vector<std::chrono::milliseconds> pauses;
  options.wait = [&](std::chrono::milliseconds time, const Deadline&, const std::stop_token&) {
    pauses.push_back(time);
    return true;
  };
  const auto exchange = [&](const net::HttpRequest& request,
                            const std::stop_token&) -> Result<net::HttpResponse> {
    if (pauses.size() == 4) return response(200, std::string(kKey));
    request.on_obstacle(obstacle);
    return refused();
  };
  EXPECT_EQ(text_of(ask_gateway("https://gw.example/x", make_token(), options, exchange, {})), kKey);
  return pauses;
}

TEST(AskGateway, WithoutANetworkItTriesAgainSoonHoweverOftenAndSparesAGatewayThatWasReached) {
  for (const auto obstacle : {net::Obstacle::kName, net::Obstacle::kRoute}) {
    EXPECT_THAT(pauses_after(obstacle), ElementsAre(7ms, 7ms, 7ms, 7ms));
  }
  for (const auto obstacle : {net::Obstacle::kConnection, net::Obstacle::kTrust}) {
    EXPECT_THAT(pauses_after(obstacle), Contains(testing::Gt(7ms)));
  }
}

TEST(AskGateway, APasswordInTheAddressIsToldNobody) {
  HttpServer server([](const ReceivedRequest&) { return answer(403, "", "ZKV-Request-State: denied\r\n"); });
  Lines lines;
  const auto address = "http://anna:geheim@" + server.url().substr(7) + "/x?word=geheim";
  const auto key = ask_gateways({address}, hasty(lines), real_exchange(), {});
  EXPECT_THAT(lines.all(), testing::Not(IsEmpty()));
  EXPECT_THAT(lines.all(), testing::Each(testing::Not(HasSubstr("geheim"))));
  EXPECT_THAT(text_of(key), AllOf(HasSubstr(server.url() + "/x"), testing::Not(HasSubstr("geheim"))));
}

TEST(AskGateway, AfterARestartOfTheGatewayItAsksAgainWithTheSameToken) {
  std::atomic<int> times = 0;
  HttpServer server([&](const ReceivedRequest&) {
    return times++ == 0 ? answer(503, "", "ZKV-Request-Id: 7F3K\r\nRetry-After: 0\r\n") : answer(200, kKey);
  });
  Lines lines;
  EXPECT_EQ(text_of(ask_gateways({server.url() + "/x"}, hasty(lines), real_exchange(), {})), kKey);
  ASSERT_EQ(server.requests().size(), 2U);
  EXPECT_EQ(token_in(server.requests()[0]), token_in(server.requests()[1]));
  EXPECT_THAT(lines.all(), Contains(HasSubstr("approval of request 7F3K")));
}

TEST(AskGateway, AGatewayThatFailsAgainAndAgainIsNotToldOfAtEachTry) {
  std::atomic<int> times = 0;
  HttpServer server([&](const ReceivedRequest&) {
    return times++ < 5 ? answer(503, "", "Retry-After: 0\r\n") : answer(200, kKey);
  });
  Lines lines;
  EXPECT_EQ(text_of(ask_gateways({server.url() + "/x"}, hasty(lines), real_exchange(), {})), kKey);
  EXPECT_THAT(lines.all(), ElementsAre(HasSubstr("waiting for approval"), HasSubstr("not ready (503)")));
}

TEST(AskGateway, AConnectionCutInTheMiddleOfTheWaitIsMadeAgain) {
  std::atomic<int> times = 0;
  HttpServer server([&](const ReceivedRequest&) {
    return times++ == 0 ? test::RawAnswer{.bytes = "", .then_close = true} : answer(200, kKey);
  });
  Lines lines;
  EXPECT_EQ(text_of(ask_gateways({server.url() + "/x"}, hasty(lines), real_exchange(), {})), kKey);
}

TEST(AskGateway, WaitsUntilAGatewayListensAndTellsOfTheTroubleOnce) {
  Script script({refused, refused, refused, [] { return response(200, kKey); }});
  Lines lines;
  EXPECT_EQ(text_of(ask_gateways({"https://gw.example/x"}, hasty(lines), script.exchange(), {})), kKey);
  EXPECT_EQ(script.calls, 4);
  EXPECT_THAT(lines.all(), ElementsAre(HasSubstr("connection refused")));
}

TEST(AskGateway, GivesUpAtItsDeadlineAndSaysWhatTheLastTroubleWas) {
  Script script({refused});
  Lines lines;
  const auto key = ask_gateways({"https://gw.example/x"}, hasty(lines, 50ms), script.exchange(), {});
  ASSERT_FALSE(key);
  EXPECT_EQ(key.error().kind(), ErrorKind::kUnavailable);
  EXPECT_THAT(key.error().message(),
              AllOf(HasSubstr("connection refused"), HasSubstr("https://gw.example/x")));
}

TEST(AskGateway, WhenItWaitedForAPersonUntilTheDeadlineNobodyDecided) {
  HttpServer server([](const ReceivedRequest&) { return test::RawAnswer{.bytes = "", .then_hang = true}; });
  Lines lines;
  const auto key = ask_gateways({server.url() + "/x"}, hasty(lines, 1500ms), real_exchange(), {});
  ASSERT_FALSE(key);
  EXPECT_EQ(key.error().kind(), ErrorKind::kPending);
}

TEST(AskGateway, AGatewayThatIsNotReadyUntilTheDeadlineWasNoPersonsSilence) {
  HttpServer server([](const ReceivedRequest&) { return answer(503, ""); });
  Lines lines;
  const auto key = ask_gateways({server.url() + "/x"}, hasty(lines, 300ms), real_exchange(), {});
  ASSERT_FALSE(key);
  EXPECT_EQ(key.error().kind(), ErrorKind::kUnavailable);
}

TEST(AskGateway, AskingOnceMeansOnce) {
  Script script({refused});
  AskOptions once;
  once.ask_once = true;
  EXPECT_FALSE(ask_gateways({"https://gw.example/x"}, once, script.exchange(), {}));
  EXPECT_EQ(script.calls, 1);
}

TEST(AskGateway, ADenialIsNotAskedAgain) {
  Script script({[] { return response(401, "", "denied"); }});
  Lines lines;
  const auto key = ask_gateways({"https://gw.example/x"}, hasty(lines), script.exchange(), {});
  ASSERT_FALSE(key);
  EXPECT_EQ(key.error().kind(), ErrorKind::kDenied);
  EXPECT_EQ(script.calls, 1);
}

TEST(AskGateway, AStopEndsTheWaitForAPersonAtOnce) {
  HttpServer server([](const ReceivedRequest&) { return test::RawAnswer{.bytes = "", .then_hang = true}; });
  Lines lines;
  std::stop_source stop;
  std::jthread person([&] {
    lines.await("waiting for approval");
    stop.request_stop();
  });
  const auto key = ask_gateways({server.url() + "/x"}, hasty(lines, 600s), real_exchange(), stop.get_token());
  ASSERT_FALSE(key);
  EXPECT_EQ(key.error().kind(), ErrorKind::kInterrupted);
}

TEST(AskGateway, AStopEndsABackOffAtOnce) {
  Script script({refused});
  Lines lines;
  auto options = hasty(lines, 600s);
  options.backoff = {.first = 10min, .most = 10min};
  std::stop_source stop;
  std::jthread person([&] {
    lines.await("refused");
    stop.request_stop();
  });
  const auto key = ask_gateways({"https://gw.example/x"}, options, script.exchange(), stop.get_token());
  ASSERT_FALSE(key);
  EXPECT_EQ(key.error().kind(), ErrorKind::kInterrupted);
}

// --- attackers ---

TEST(AskGateway, NeverSpeaksPlainHttpToAForeignAddress) {
  Lines lines;
  const auto key = ask_gateways({"http://192.0.2.1/request-keys"}, hasty(lines), real_exchange(), {});
  ASSERT_FALSE(key);
  EXPECT_EQ(key.error().kind(), ErrorKind::kInvalid);
}

TEST(AskGateway, AnOversizedAnswerIsRefusedAndNotAskedForAgain) {
  HttpServer server([](const ReceivedRequest&) { return answer(200, std::string(5000, 'A')); });
  Lines lines;
  const auto key = ask_gateways({server.url() + "/x"}, hasty(lines), real_exchange(), {});
  ASSERT_FALSE(key);
  EXPECT_EQ(key.error().kind(), ErrorKind::kCorrupt);
  EXPECT_EQ(server.requests().size(), 1U);
}

TEST(AskGateway, AGatewayThatSaysAtOnceTimeAfterTimeIsObeyedOnce) {
  const auto at_once = [] { return response(503, "", {}, "0"); };
  Script script({at_once, at_once, at_once, at_once, [] { return response(200, kKey); }});
  std::vector<std::chrono::milliseconds> waits;
  AskOptions options;
  options.backoff = {.first = 10min, .most = 10min};
  options.wait = [&](std::chrono::milliseconds time, const Deadline&, const std::stop_token&) {
    waits.push_back(time);
    return true;
  };
  EXPECT_EQ(text_of(ask_gateways({"https://gw.example/x"}, options, script.exchange(), {})), kKey);
  ASSERT_EQ(waits.size(), 4U);
  EXPECT_EQ(waits.front(), 0ms);
  EXPECT_GT(std::accumulate(waits.begin(), waits.end(), 0ms), 1s);
}

TEST(AskGateway, ARedirectDoesNotCarryTheRequestAway) {
  HttpServer thief([](const ReceivedRequest&) { return answer(200, kKey); });
  HttpServer server(
      [&](const ReceivedRequest&) { return answer(302, "", "Location: " + thief.url() + "/x\r\n"); });
  Lines lines;
  EXPECT_FALSE(ask_gateways({server.url() + "/x"}, hasty(lines), real_exchange(), {}));
  EXPECT_THAT(thief.requests(), IsEmpty());
}

TEST(AskGateway, AGatewayWithAnotherNamesCertificateGetsNoToken) {
  const auto issuer = test::make_issuer();
  const auto certificate = test::make_certificate(issuer, {.names = "DNS:other.example"});
  const TemporaryDirectory directory;
  test::write_pem(issuer, directory / "ca.pem");
  HttpServer server([](const ReceivedRequest&) { return answer(200, kKey); }, &certificate);
  AskOptions once;
  once.ask_once = true;
  const auto key =
      ask_gateways({server.url() + "/x"}, once, real_exchange({.ca_file = directory / "ca.pem"}), {});
  ASSERT_FALSE(key);
  EXPECT_THAT(key.error().message(), HasSubstr("other.example"));
  EXPECT_THAT(server.requests(), IsEmpty());
}

// --- several gateways ---

TEST(Race, ADeadAndASilentGatewayDoNotDelayALiveOne) {
  const test::FullListener black_hole;
  HttpServer live([](const ReceivedRequest&) { return answer(200, kKey); });
  HttpServer slow([](const ReceivedRequest&) { return test::RawAnswer{.bytes = "", .then_hang = true}; });
  Lines lines;
  const auto begin = std::chrono::steady_clock::now();
  const auto key = ask_gateways(
      {"http://127.0.0.1:" + std::to_string(test::unused_port()) + "/x",
       "http://127.0.0.1:" + std::to_string(black_hole.port()) + "/x", slow.url() + "/x", live.url() + "/x"},
      hasty(lines, 600s), real_exchange(), {});
  EXPECT_EQ(text_of(key), kKey);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 60s);
}

TEST(Race, AllGatewaysSeeOneToken) {
  HttpServer one([](const ReceivedRequest&) { return answer(401, "", "ZKV-Request-State: expired\r\n"); });
  HttpServer other([&](const ReceivedRequest&) {
    one.await_requests(1);
    return answer(200, kKey);
  });
  Lines lines;
  ASSERT_TRUE(ask_gateways({one.url() + "/x", other.url() + "/x"}, hasty(lines), real_exchange(), {}));
  EXPECT_EQ(token_in(one.requests().at(0)), token_in(other.requests().at(0)));
}

TEST(Race, APersonsNoAtOneGatewayEndsTheWaitAtAll) {
  HttpServer waiting([](const ReceivedRequest&) { return test::RawAnswer{.bytes = "", .then_hang = true}; });
  HttpServer denying([](const ReceivedRequest&) { return answer(401, "", "ZKV-Request-State: denied\r\n"); });
  Lines lines;
  const auto key =
      ask_gateways({waiting.url() + "/x", denying.url() + "/x"}, hasty(lines, 600s), real_exchange(), {});
  ASSERT_FALSE(key);
  EXPECT_EQ(key.error().kind(), ErrorKind::kDenied);
}

TEST(Race, AnExpiredRequestAtOneGatewayLeavesTheOthersInTheRace) {
  HttpServer expired(
      [](const ReceivedRequest&) { return answer(401, "", "ZKV-Request-State: expired\r\n"); });
  HttpServer live([&](const ReceivedRequest&) {
    expired.await_requests(1);
    return answer(200, kKey);
  });
  Lines lines;
  EXPECT_EQ(
      text_of(ask_gateways({expired.url() + "/x", live.url() + "/x"}, hasty(lines), real_exchange(), {})),
      kKey);
}

TEST(Race, WhenAllEndTheOneThatSaysMostIsReported) {
  HttpServer expired(
      [](const ReceivedRequest&) { return answer(401, "", "ZKV-Request-State: expired\r\n"); });
  HttpServer lost([](const ReceivedRequest&) { return answer(404, ""); });
  Lines lines;
  const auto key = ask_gateways({lost.url() + "/x", expired.url() + "/x"}, hasty(lines), real_exchange(), {});
  ASSERT_FALSE(key);
  EXPECT_EQ(key.error().kind(), ErrorKind::kPending);
}

TEST(Race, WithoutAnyGatewayItSaysHowToNameOne) {
  const auto key = ask_gateways({}, {}, real_exchange(), {});
  ASSERT_FALSE(key);
  EXPECT_THAT(key.error().remedy(), HasSubstr("GATEWAY_URI"));
}

}  // namespace
}  // namespace zkv::host
