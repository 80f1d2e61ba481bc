// A gateway's HTTP server before a service that is played by the test, and a blocking client of it.
#pragma once

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
#include "gateway/http/server.h"

namespace zkv::gateway::http {

inline constexpr auto kPatience = std::chrono::seconds(20);
inline constexpr const char* kToken = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// A service whose waiting clients are answered by the test.
class FakeService : public Service {
 public:
  boost::asio::awaitable<Answer> wait_for_release(Ask ask) override {
    const auto timer = std::make_shared<boost::asio::steady_timer>(
        co_await boost::asio::this_coro::executor, boost::asio::steady_timer::time_point::max());
    {
      const std::lock_guard lock(mutex_);
      asks_.push_back(ask);
      waiting_.push_back(timer);
      changed_.notify_all();
    }
    co_await timer->async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
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
  boost::asio::awaitable<Result<PinOutcome>> receive_pin(std::string digits, std::string message,
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
  boost::asio::awaitable<Result<CardList>> open_requests() override {
    co_return CardList{std::vector<RequestCard>(1), {}, false};
  }
  boost::asio::awaitable<Result<CardList>> history(HistoryAsk /*ask*/) override {
    co_return CardList{std::vector<RequestCard>(2), {}, false};
  }
  boost::asio::awaitable<Result<RequestCard>> request(RequestId id) override {
    if (id.text != "A1") co_return Error::not_found("there is no request " + id.text);
    RequestCard found;
    found.request.id = id;
    co_return found;
  }
  boost::asio::awaitable<Result<Request>> approve(RequestId id, std::string by) override {
    if (id.text != "A1") co_return Error::conflict("request " + id.text + " has ended");
    Request approved;
    approved.id = id;
    approved.state = State::kApproved;
    approved.decided_by = std::move(by);
    co_return approved;
  }
  boost::asio::awaitable<Result<Request>> deny(RequestId id, std::string by, std::string reason) override {
    Request denied;
    denied.id = std::move(id);
    denied.decided_by = std::move(by);
    denied.reason = std::move(reason);
    co_return denied;
  }
  boost::asio::awaitable<Result<RequestId>> discard(RequestId id, std::string /*by*/) override {
    co_return id;
  }
  boost::asio::awaitable<Result<std::size_t>> approve_all(std::string /*by*/) override { co_return 3U; }
  Enrolments& enrolments() override { return *enrolments_; }
  HostAsks& host_asks() override { return *host_asks_; }
  People& people() override { return *people_; }
  Heartbeats& heartbeats() override { return *heartbeats_; }
  Boots& boots() override { return *boots_; }
  Push& push() override { return *push_; }
  Totps& totps() override { return *totps_; }
  boost::asio::awaitable<Result<>> check() override { co_return health_; }
  void stop() override { answer(Answer::Outcome::kStopping); }

  /// Answers all that wait now.
  void answer(Answer::Outcome outcome) {
    const std::lock_guard lock(mutex_);
    outcome_ = outcome;
    for (const auto& waiting : waiting_) {
      if (const auto timer = waiting.lock())
        boost::asio::post(timer->get_executor(), [timer] { timer->cancel(); });
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

  std::unique_ptr<Enrolments> enrolments_;  ///< none: no test of this server calls them
  std::unique_ptr<HostAsks> host_asks_;
  std::unique_ptr<People> people_;
  std::unique_ptr<Heartbeats> heartbeats_;
  std::unique_ptr<Boots> boots_;
  std::unique_ptr<Push> push_;
  std::unique_ptr<Totps> totps_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Ask> asks_;
  std::vector<std::weak_ptr<boost::asio::steady_timer>> waiting_;  // a timer lives with its coroutine
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
  explicit Client(const std::filesystem::path& path) : socket_(::socket(AF_UNIX, SOCK_STREAM, 0)) {
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
  /// From now on the system keeps little of what was not read.
  void keep_little() {
    const int size = 4096;
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  }
  /// A byte every 50 ms until the server says something or ends it; returns all that it said.
  std::string drip() {
    const auto given_up = std::chrono::steady_clock::now() + kPatience;
    pollfd waiting{socket_.get(), POLLIN, 0};
    while (std::chrono::steady_clock::now() < given_up) {
      send("x");
      if (::poll(&waiting, 1, 50) == 1) return read_all();
    }
    return "it went on dripping";
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

inline std::string get(const std::string& path, const std::string& fields = {}) {
  return "GET " + path + " HTTP/1.1\r\nHost: gateway.example\r\nConnection: close\r\n" + fields + "\r\n";
}

inline std::string post(const std::string& path, const std::string& body, const std::string& fields = {}) {
  return "POST " + path + " HTTP/1.1\r\nHost: gateway.example\r\nConnection: close\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\nContent-Type: application/x-www-form-urlencoded\r\n" + fields +
         "\r\n" + body;
}

class HttpTest : public testing::Test {
 protected:
  HttpTest() {
    std::signal(SIGPIPE, SIG_IGN);
    std::string name = (std::filesystem::temp_directory_path() / "zkv-http-XXXXXX").string();
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
    std::filesystem::remove_all(folder_);
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

  std::filesystem::path folder_;
  FakeService service_;
  ServerOptions options_;
  std::unique_ptr<Server> server_;
};

}  // namespace zkv::gateway::http
