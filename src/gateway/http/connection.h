// One connection from its first byte to its last: handshake, requests one after the other, time limits.
#pragma once

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "base/encoding.h"
#include "gateway/http/forwarded.h"
#include "gateway/http/request_reader.h"
#include "gateway/http/router.h"
#include "gateway/http/stream.h"

namespace zkv::gateway::http {

struct Timeouts {
  std::chrono::milliseconds handshake{10'000};
  std::chrono::milliseconds request{10'000};  ///< from a request's first byte (or the connection) to its last
  std::chrono::milliseconds idle{30'000};     ///< between two requests
  std::chrono::milliseconds write{30'000};    ///< of one answer
  std::chrono::milliseconds farewell{1'000};  ///< for the client to end after we did
};

/// What all connections of one listener share; outlives them.
struct Surroundings {
  const Router& router;
  std::span<const Network> trusted_proxies;
  Timeouts timeouts;
  const std::atomic<bool>& stopping;
  /// Notes a refusal: kind, address, detail.
  std::function<void(std::string, std::string, std::string)> refused;
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  struct Peer {
    AddressBytes address{};
    std::string name;  ///< for the control socket; else empty, and the address is the name
  };
  /// `scratch` is memory that all connections of one thread read into, one after the other.
  Connection(Stream stream, Peer peer, const Surroundings& around, std::span<std::uint8_t> scratch);

  boost::asio::awaitable<void> run();
  /// Ends it if it only waits for a next request; otherwise it ends after its answer.
  void close_if_idle();

 private:
  boost::asio::awaitable<bool> exchange();
  boost::asio::awaitable<bool> read_request(RequestReader& reader);
  boost::asio::awaitable<bool> fill();
  boost::asio::awaitable<void> refuse(unsigned status, std::string_view why);
  void note(std::string why) const;
  boost::asio::awaitable<bool> send(const Reply& reply, bool keep_alive, bool head_only);
  boost::asio::awaitable<bool> send_parts(const Reply& reply);
  boost::asio::awaitable<bool> send_with_cookie(const Reply& reply, bool keep_alive);
  boost::asio::awaitable<void> client_gone();
  boost::asio::awaitable<void> farewell();
  void describe_client(Incoming& incoming);
  void expire_after(std::chrono::milliseconds time);
  void never_expire();

  Stream stream_;
  Peer peer_;
  const Surroundings& around_;
  std::span<std::uint8_t> scratch_;
  boost::asio::steady_timer timer_;
  std::string input_;  ///< received, and not yet taken by a request
  bool idle_ = true;   ///< nothing of a request was received yet
  bool timed_out_ = false;
};

}  // namespace zkv::gateway::http
