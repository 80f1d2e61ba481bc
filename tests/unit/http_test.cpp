// The gateway's HTTP server before a service that is played by the test: answers, limits, and attackers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <condition_variable>
#include <csignal>
#include <filesystem>
#include <mutex>

#include "base/file.h"
#include "crypto/hash.h"
#include "gateway/http/forwarded.h"
#include "gateway/http/limits.h"
#include "gateway/http/request_reader.h"
#include "gateway/http/server.h"

namespace zkv::gateway::http {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using namespace std::chrono_literals;
using testing::Contains;
using testing::HasSubstr;
using testing::StartsWith;

constexpr auto kPatience = 20s;
constexpr const char* kToken = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// A service whose waiting clients are answered by the test.
class FakeService : public Service {
 public:
  asio::awaitable<Answer> wait_for_release(Ask ask) override {
    const auto timer = std::make_shared<asio::steady_timer>(co_await asio::this_coro::executor,
                                                            asio::steady_timer::time_point::max());
    {
      const std::lock_guard lock(mutex_);
      asks_.push_back(ask);
      waiting_.push_back(timer);
      changed_.notify_all();
    }
    co_await timer->async_wait(asio::as_tuple(asio::use_awaitable));
    const std::lock_guard lock(mutex_);
    std::erase_if(waiting_, [&](const auto& other) { return other.lock() == timer; });
    changed_.notify_all();
    Answer answer;
    answer.outcome = outcome_;
    answer.request = RequestId{"0123456789"};
    if (outcome_ == Answer::Outcome::kReleased) answer.share = share_;
    co_return answer;
  }
  void delivered(const RequestId& /*id*/, bool in_full) override {
    const std::lock_guard lock(mutex_);
    delivered_.push_back(in_full);
    changed_.notify_all();
  }
  asio::awaitable<Result<PinOutcome>> receive_pin(std::string digits, std::string message,
                                                  std::string by) override {
    const std::lock_guard lock(mutex_);
    pins_.push_back(digits + " " + message + " " + by);
    co_return pin_outcome_;
  }
  void note_refusal(std::string kind, std::string address, std::string detail) override {
    const std::lock_guard lock(mutex_);
    refusals_.push_back(kind + " " + address + " " + detail);
    changed_.notify_all();
  }
  asio::awaitable<Result<std::vector<Request>>> requests(bool also_ended) override {
    co_return std::vector<Request>(also_ended ? 2 : 1);
  }
  asio::awaitable<Result<Request>> request(RequestId id) override {
    if (id.text != "A1") co_return Error::not_found("there is no request " + id.text);
    Request found;
    found.id = id;
    co_return found;
  }
  asio::awaitable<Result<Request>> approve(RequestId id, std::string by) override {
    if (id.text != "A1") co_return Error::conflict("request " + id.text + " has ended");
    Request approved;
    approved.id = id;
    approved.state = State::kApproved;
    approved.decided_by = std::move(by);
    co_return approved;
  }
  asio::awaitable<Result<Request>> deny(RequestId id, std::string by, std::string reason) override {
    Request denied;
    denied.id = std::move(id);
    denied.decided_by = std::move(by);
    denied.reason = std::move(reason);
    co_return denied;
  }
  asio::awaitable<Result<std::size_t>> approve_all(std::string /*by*/) override { co_return 3U; }
  asio::awaitable<Result<>> check() override { co_return health_; }
  void stop() override { answer(Answer::Outcome::kStopping); }

  /// Answers all that wait now.
  void answer(Answer::Outcome outcome) {
    const std::lock_guard lock(mutex_);
    outcome_ = outcome;
    for (const auto& waiting : waiting_) {
      if (const auto timer = waiting.lock()) asio::post(timer->get_executor(), [timer] { timer->cancel(); });
    }
  }
  template <class Condition>
  bool wait_until(Condition condition) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience, condition);
  }
  bool wait_for_asks(std::size_t count) {
    return wait_until([&] { return asks_.size() >= count; });
  }
  std::vector<std::string> refusals() {
    const std::lock_guard lock(mutex_);
    return refusals_;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Ask> asks_;
  std::vector<std::weak_ptr<asio::steady_timer>> waiting_;  // a timer lives with its coroutine
  std::vector<bool> delivered_;
  std::vector<std::string> pins_;
  std::vector<std::string> refusals_;
  Answer::Outcome outcome_ = Answer::Outcome::kDenied;
  std::shared_ptr<const SecretBytes> share_ =
      std::make_shared<const SecretBytes>(SecretBytes::copy_of("the-repository-key"));
  Result<PinOutcome> pin_outcome_ = PinOutcome::kApproved;
  Result<> health_;
};

/// A blocking client that sends what it is told.
class Client {
 public:
  explicit Client(std::uint16_t port, const char* from = "127.0.0.1")
      : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address = at(from, 0);
    ::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address);
    address = at("127.0.0.1", port);
    connected_ = ::connect(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  explicit Client(const fs::path& path) : socket_(::socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.string().copy(static_cast<char*>(address.sun_path), sizeof address.sun_path - 1);
    connected_ = ::connect(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }

  Client& send(const std::string& text) {
    std::size_t sent = 0;
    while (connected_ && sent < text.size()) {
      const auto bytes = ::send(socket_.get(), text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
      if (bytes <= 0) break;
      sent += static_cast<std::size_t>(bytes);
    }
    return *this;
  }
  /// Everything until the server ends the connection.
  std::string read_all() {
    std::string all;
    while (read_some(all)) continue;
    return all;
  }
  /// Until that text has come.
  std::string read_until(std::string_view text) {
    std::string all;
    while (all.find(text) == std::string::npos && read_some(all)) continue;
    return all;
  }
  void close() { socket_ = FileDescriptor(); }

 private:
  static sockaddr_in at(const char* host, std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    const auto bytes = parse_address(host).value();
    std::copy_n(bytes.begin() + 12, 4, reinterpret_cast<std::uint8_t*>(&address.sin_addr));
    return address;
  }
  bool read_some(std::string& all) {
    pollfd waiting{socket_.get(), POLLIN, 0};
    if (::poll(&waiting, 1, static_cast<int>(std::chrono::milliseconds(kPatience).count())) != 1)
      return false;
    std::array<char, 4096> chunk{};
    const auto bytes = ::recv(socket_.get(), chunk.data(), chunk.size(), 0);
    if (bytes <= 0) return false;
    all.append(chunk.data(), static_cast<std::size_t>(bytes));
    return true;
  }

  FileDescriptor socket_;
  bool connected_ = false;
};

std::string get(const std::string& path, const std::string& fields = {}) {
  return "GET " + path + " HTTP/1.1\r\nHost: gateway.example\r\nConnection: close\r\n" + fields + "\r\n";
}

std::string post(const std::string& path, const std::string& body, const std::string& fields = {}) {
  return "POST " + path + " HTTP/1.1\r\nHost: gateway.example\r\nConnection: close\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\nContent-Type: application/x-www-form-urlencoded\r\n" + fields +
         "\r\n" + body;
}

class HttpTest : public testing::Test {
 protected:
  HttpTest() {
    std::signal(SIGPIPE, SIG_IGN);
    std::string name = (fs::temp_directory_path() / "zkv-http-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    options_.listen.host = parse_address("127.0.0.1").value();
    options_.control_socket = folder_ / "control.sock";
    options_.threads = 2;
    LegacyOptions legacy;
    legacy.public_url = "https://gateway.example";
    legacy.twilio_token = SecretBytes::copy_of("twilio-token");
    legacy.sms_to = "+15551234567";
    options_.legacy = std::move(legacy);
  }
  ~HttpTest() override {
    server_.reset();
    fs::remove_all(folder_);
  }

  /// The server, started at the first use with the options so far.
  std::uint16_t port() {
    if (!server_) {
      auto started = Server::start(std::move(options_), service_);
      EXPECT_TRUE(started) << started.error().message();
      server_ = std::move(*started);
    }
    const auto address = server_->address();
    return static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
  }
  std::string ask(const std::string& text, const char* from = "127.0.0.1") {
    return Client(port(), from).send(text).read_all();
  }
  std::string ask_for_key(Answer::Outcome outcome, const std::string& fields = {}) {
    Client client(port());
    client.send(get("/request-keys", fields));
    EXPECT_TRUE(service_.wait_for_asks(1));
    service_.answer(outcome);
    return client.read_all();
  }
  static std::string signature(const std::string& signed_text) {
    return "X-Twilio-Signature: " +
           to_base64(crypto::hmac_sha1(bytes_of("twilio-token"), bytes_of(signed_text)), Base64::kStandard) +
           "\r\n";
  }
  static std::string signed_message(const std::string& body, const std::string& from = "+15551234567") {
    const std::string escaped = "%2B" + from.substr(1);
    return post(
        "/incoming-message", "Body=" + body + "&From=" + escaped + "&MessageSid=SM1",
        signature("https://gateway.example/incoming-messageBody" + body + "From" + from + "MessageSidSM1"));
  }

  fs::path folder_;
  FakeService service_;
  ServerOptions options_;
  std::unique_ptr<Server> server_;
};

TEST_F(HttpTest, AReleasedKeyIsTheWholeBodyAsPlainText) {
  const auto reply = ask_for_key(Answer::Outcome::kReleased);
  EXPECT_THAT(reply, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(reply, HasSubstr("Content-Type: text/plain; charset=utf-8\r\n"));
  EXPECT_THAT(reply, HasSubstr("Content-Length: 18\r\n"));
  EXPECT_THAT(reply, HasSubstr("ZKV-Request-Id: 0123456789\r\n"));
  EXPECT_THAT(reply, HasSubstr("Cache-Control: no-store\r\n"));
  EXPECT_THAT(reply, testing::EndsWith("\r\n\r\nthe-repository-key"));
  EXPECT_TRUE(service_.wait_until([&] { return service_.delivered_ == std::vector<bool>{true}; }));
}

TEST_F(HttpTest, DeniedAndExpiredAreBothAnEmpty401ThatAHeaderTellsApart) {
  const auto reply = ask_for_key(Answer::Outcome::kDenied);
  EXPECT_THAT(reply, StartsWith("HTTP/1.1 401 Unauthorized\r\n"));
  EXPECT_THAT(reply, HasSubstr("ZKV-Request-State: denied\r\n"));
  EXPECT_THAT(reply, HasSubstr("Content-Length: 0\r\n"));
}

TEST_F(HttpTest, AnExpiredRequestIsA401) {
  const auto reply = ask_for_key(Answer::Outcome::kExpired);
  EXPECT_THAT(reply, StartsWith("HTTP/1.1 401 Unauthorized\r\n"));
  EXPECT_THAT(reply, HasSubstr("ZKV-Request-State: expired\r\n"));
}

TEST_F(HttpTest, AVaultThatFailsIsA500) {
  const auto reply = ask_for_key(Answer::Outcome::kVaultFailed);
  EXPECT_THAT(reply, StartsWith("HTTP/1.1 500 Internal Server Error\r\n"));
  EXPECT_THAT(reply, HasSubstr("ZKV-Request-State: failed\r\n"));
}

TEST_F(HttpTest, TooManyOpenRequestsAreA429) {
  EXPECT_THAT(ask_for_key(Answer::Outcome::kTooMany), StartsWith("HTTP/1.1 429 Too Many Requests\r\n"));
}

TEST_F(HttpTest, TheClientsTokenReachesTheService) {
  ask_for_key(Answer::Outcome::kDenied, std::string("ZKV-Request-Token: ") + kToken + "\r\n");
  EXPECT_EQ(service_.asks_.front().token, kToken);
  EXPECT_EQ(service_.asks_.front().address, "127.0.0.1");
}

TEST_F(HttpTest, AMalformedTokenIsRefused) {
  EXPECT_THAT(ask(get("/request-keys", "ZKV-Request-Token: short\r\n")), StartsWith("HTTP/1.1 400 "));
  EXPECT_TRUE(service_.asks_.empty());
}

TEST_F(HttpTest, ASecondAskOfAnAddressWithinASecondIsA429AndNoted) {
  Client first(port());
  first.send(get("/request-keys"));
  ASSERT_TRUE(service_.wait_for_asks(1));
  const auto reply = ask(get("/request-keys"));
  EXPECT_THAT(reply, StartsWith("HTTP/1.1 429 Too Many Requests\r\n"));
  EXPECT_THAT(reply, HasSubstr("Retry-After: 1\r\n"));
  EXPECT_THAT(service_.refusals(), Contains(StartsWith("refused.rate 127.0.0.1")));
  Client other(port(), "127.0.0.2");
  other.send(get("/request-keys"));
  EXPECT_TRUE(service_.wait_for_asks(2));
}

TEST_F(HttpTest, AClientThatGoesAwayIsNoticedAtOnce) {
  Client client(port());
  client.send(get("/request-keys"));
  ASSERT_TRUE(service_.wait_for_asks(1));
  client.close();
  EXPECT_TRUE(service_.wait_until([&] { return service_.waiting_.empty(); }));
}

TEST_F(HttpTest, AClientThatSendsOnWithoutEndIsTreatedAsGone) {
  Client client(port());
  client.send(get("/request-keys"));
  ASSERT_TRUE(service_.wait_for_asks(1));
  client.send(std::string(64 * 1024, 'x'));
  EXPECT_TRUE(service_.wait_until([&] { return service_.waiting_.empty(); }));
}

TEST_F(HttpTest, AClientTreatedAsGoneIsNotToldThatItsRequestWasCancelled) {
  service_.outcome_ = Answer::Outcome::kCancelled;
  Client client(port());
  client.send(get("/request-keys", "ZKV-Request-Token: " + std::string(kToken) + "\r\n"));
  ASSERT_TRUE(service_.wait_for_asks(1));
  std::string pipelined;
  for (int i = 0; i < 300; ++i) pipelined += "GET /livez HTTP/1.1\r\nHost: g\r\n\r\n";
  EXPECT_EQ(client.send(pipelined).read_all(), "");
}

TEST_F(HttpTest, AnAddressOutsideLegacyAllowMayNotAsk) {
  options_.legacy->allow = {Network::parse("127.0.0.7").value()};
  EXPECT_THAT(ask(get("/request-keys")), StartsWith("HTTP/1.1 403 Forbidden\r\n"));
  EXPECT_THAT(service_.refusals(), Contains(StartsWith("refused.address 127.0.0.1")));
  Client allowed(port(), "127.0.0.7");
  allowed.send(get("/request-keys"));
  EXPECT_TRUE(service_.wait_for_asks(1));
}

TEST_F(HttpTest, AForgedForwardedAddressOpensNothing) {
  options_.legacy->allow = {Network::parse("10.0.0.0/8").value()};
  EXPECT_THAT(ask(get("/request-keys", "X-Forwarded-For: 10.0.0.1\r\n")), StartsWith("HTTP/1.1 403 "));
}

TEST_F(HttpTest, ATrustedProxyTellsTheClientsAddress) {
  options_.trusted_proxies = {Network::parse("127.0.0.0/8").value()};
  Client client(port());
  client.send(get("/request-keys", "X-Forwarded-For: 198.51.100.9, 203.0.113.5\r\n"));
  ASSERT_TRUE(service_.wait_for_asks(1));
  EXPECT_EQ(service_.asks_.front().address, "203.0.113.5");
}

TEST_F(HttpTest, ASignedMessageFromTheApproverApproves) {
  EXPECT_THAT(ask(signed_message("123456")), StartsWith("HTTP/1.1 204 No Content\r\n"));
  EXPECT_THAT(service_.pins_, testing::ElementsAre("123456 SM1 sms:+15551234567"));
}

TEST_F(HttpTest, AnUnknownPinIsA404) {
  service_.pin_outcome_ = PinOutcome::kUnknownPin;
  EXPECT_THAT(ask(signed_message("123456")), StartsWith("HTTP/1.1 404 Not Found\r\n"));
}

TEST_F(HttpTest, WordsAreNoTryOfAPin) {
  EXPECT_THAT(ask(signed_message("hello")), StartsWith("HTTP/1.1 404 Not Found\r\n"));
  EXPECT_TRUE(service_.pins_.empty());
}

TEST_F(HttpTest, AMessageWithoutABodyIsA400) {
  EXPECT_THAT(ask(signed_message("")), StartsWith("HTTP/1.1 400 Bad Request\r\n"));
}

TEST_F(HttpTest, AnUnsignedMessageIsRefusedAndNoted) {
  EXPECT_THAT(ask(post("/incoming-message", "Body=123456&From=%2B15551234567")), StartsWith("HTTP/1.1 403 "));
  EXPECT_TRUE(service_.pins_.empty());
  EXPECT_THAT(service_.refusals(), Contains(StartsWith("refused.webhook-signature 127.0.0.1")));
}

TEST_F(HttpTest, ASignatureForAnotherAddressIsRefused) {
  const std::string fields = "Body123456From+15551234567";
  EXPECT_THAT(ask(post("/incoming-message", "Body=123456&From=%2B15551234567",
                       signature("https://other.example/incoming-message" + fields))),
              StartsWith("HTTP/1.1 403 "));
  EXPECT_TRUE(service_.pins_.empty());
}

TEST_F(HttpTest, AForgedHostDoesNotMakeASignatureForItValid) {
  const std::string body = "Body=123456&From=%2B15551234567";
  const auto message =
      "POST /incoming-message HTTP/1.1\r\nHost: other.example\r\nConnection: close\r\nContent-Length: " +
      std::to_string(body.size()) + "\r\n" +
      signature("https://other.example/incoming-messageBody123456From+15551234567") + "\r\n" + body;
  EXPECT_THAT(ask(message), StartsWith("HTTP/1.1 403 "));
  EXPECT_TRUE(service_.pins_.empty());
}

TEST_F(HttpTest, AnotherSendersMessageIsRefusedThoughSigned) {
  EXPECT_THAT(ask(signed_message("123456", "+15550000000")), StartsWith("HTTP/1.1 403 "));
  EXPECT_TRUE(service_.pins_.empty());
  EXPECT_THAT(service_.refusals(), Contains(StartsWith("refused.webhook-sender 127.0.0.1")));
}

TEST_F(HttpTest, WithoutTwilioThereIsNoWebhook) {
  options_.legacy->twilio_token = SecretBytes();
  EXPECT_THAT(ask(signed_message("123456")), StartsWith("HTTP/1.1 404 "));
}

TEST_F(HttpTest, WithoutLegacyThereAreNoLegacyEndpoints) {
  options_.legacy.reset();
  EXPECT_THAT(ask(get("/request-keys")), StartsWith("HTTP/1.1 404 "));
}

TEST_F(HttpTest, AnUnknownPathIsAProblemDocument) {
  const auto reply = ask(get("/nowhere"));
  EXPECT_THAT(reply, StartsWith("HTTP/1.1 404 Not Found\r\n"));
  EXPECT_THAT(reply, HasSubstr("Content-Type: application/problem+json\r\n"));
  EXPECT_THAT(reply, HasSubstr("\"status\":404"));
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

TEST_F(HttpTest, ABodyBeyondSixteenKibIsA413) {
  EXPECT_THAT(ask(post("/incoming-message", std::string(20'000, 'x'))), StartsWith("HTTP/1.1 413 "));
}

TEST_F(HttpTest, AChunkedBodyBeyondSixteenKibIsA413) {
  EXPECT_THAT(ask("POST /incoming-message HTTP/1.1\r\nHost: g\r\nTransfer-Encoding: chunked\r\n\r\n5000\r\n" +
                  std::string(0x5000, 'x') + "\r\n0\r\n\r\n"),
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

TEST_F(HttpTest, AChunkedBodyIsReadInAnyCaseOfTheWord) {
  EXPECT_THAT(
      ask("POST /nowhere HTTP/1.1\r\nHost: g\r\nConnection: close\r\nTransfer-Encoding: Chunked\r\n\r\n"
          "3\r\nabc\r\n0\r\n\r\n"),
      StartsWith("HTTP/1.1 404 "));
}

TEST_F(HttpTest, ASlowHeaderIsEndedWithA408WhileOthersAreServed) {
  options_.timeouts.request = 300ms;
  Client slow(port());
  slow.send("GET /livez HTTP/1.1\r\nHost:");
  EXPECT_THAT(ask(get("/livez")), StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(slow.read_all(), StartsWith("HTTP/1.1 408 "));
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

Origin peer(const char* address) { return {parse_address(address).value(), false}; }

TEST(Forwarding, TheRightMostUntrustedHopIsTheClient) {
  const std::vector<Network> trusted{Network::parse("10.0.0.0/8").value()};
  boost::beast::http::fields headers;
  headers.insert("X-Forwarded-For", "1.1.1.1, 203.0.113.5:4711");
  headers.insert("X-Forwarded-For", "10.0.0.2");
  headers.insert("X-Forwarded-Proto", "https");
  const auto origin = origin_of(peer("10.0.0.1"), headers, trusted);
  EXPECT_EQ(gateway::to_text(origin.address), "203.0.113.5");
  EXPECT_TRUE(origin.secure);
  EXPECT_EQ(gateway::to_text(origin_of(peer("192.0.2.1"), headers, trusted).address), "192.0.2.1");
  EXPECT_FALSE(origin_of(peer("192.0.2.1"), headers, trusted).secure);
}

TEST(Forwarding, AHopThatIsNoAddressIsWhereBeliefEnds) {
  const std::vector<Network> trusted{Network::parse("10.0.0.0/8").value()};
  boost::beast::http::fields headers;
  headers.insert("X-Forwarded-For", "203.0.113.5, unknown");
  EXPECT_EQ(gateway::to_text(origin_of(peer("10.0.0.1"), headers, trusted).address), "10.0.0.1");
}

TEST(RateLimits, ABucketRefillsWithTimeAndIsPerAddress) {
  RateLimiter limiter(1s, 2);
  const RateLimiter::Clock::time_point start{};
  const auto one = parse_address("192.0.2.1").value();
  EXPECT_TRUE(limiter.allow(one, start));
  EXPECT_TRUE(limiter.allow(one, start));
  EXPECT_FALSE(limiter.allow(one, start + 999ms));
  EXPECT_TRUE(limiter.allow(one, start + 1s));
  EXPECT_TRUE(limiter.allow(parse_address("192.0.2.2").value(), start));
}

TEST(RateLimits, AnIpv6NetworkOf64BitsIsOneAsker) {
  RateLimiter limiter(1s, 1);
  EXPECT_TRUE(limiter.allow(parse_address("2001:db8::1").value(), {}));
  EXPECT_FALSE(limiter.allow(parse_address("2001:db8::2").value(), {}));
  EXPECT_TRUE(limiter.allow(parse_address("2001:db8:0:1::1").value(), {}));
}

TEST(RateLimits, ManyAddressesDoNotHoldMemoryForEver) {
  RateLimiter limiter(1s, 1, 2);
  const RateLimiter::Clock::time_point start{};
  EXPECT_TRUE(limiter.allow(parse_address("192.0.2.1").value(), start));
  EXPECT_TRUE(limiter.allow(parse_address("192.0.2.2").value(), start));
  EXPECT_FALSE(limiter.allow(parse_address("192.0.2.3").value(), start));
  EXPECT_TRUE(limiter.allow(parse_address("192.0.2.3").value(), start + 1s));
  EXPECT_EQ(limiter.size(), 1U);
}

TEST(Forms, AreDecodedAsBrowsersSendThem) {
  EXPECT_THAT(parse_form("Body=12+34&From=%2B1555&empty=&alone&bad=%zz"),
              testing::ElementsAre(testing::Pair("Body", "12 34"), testing::Pair("From", "+1555"),
                                   testing::Pair("empty", ""), testing::Pair("alone", ""),
                                   testing::Pair("bad", "%zz")));
}

TEST(RequestReading, ARequestInSinglePiecesIsTheSame) {
  RequestReader reader;
  std::string input;
  const std::string text = "POST /a?b=c HTTP/1.1\r\nHost: g\r\nContent-Length: 3\r\n\r\nxyz";
  for (const char c : text.substr(0, text.size() - 1)) {
    input += c;
    ASSERT_EQ(reader.take(input), RequestReader::State::kNeedsMore);
  }
  input += "zNEXT";
  ASSERT_EQ(reader.take(input), RequestReader::State::kDone);
  const auto incoming = reader.take_request();
  EXPECT_EQ(incoming.path(), "/a");
  EXPECT_EQ(incoming.query(), "b=c");
  EXPECT_EQ(incoming.body, "xyz");
  EXPECT_EQ(input, "NEXT");
}

}  // namespace
}  // namespace zkv::gateway::http
