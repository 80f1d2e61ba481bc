// The bytes of one connection, plain or through TLS, without a buffer of its own: it first waits until the
// socket has something, and only then wants memory to read into.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <cstdint>
#include <span>

#include "gateway/http/tls_context.h"

namespace zkv::gateway::http {

/// Used only on its socket's executor. A failure means that the connection is of no more use.
class Stream {
 public:
  using Socket = boost::asio::generic::stream_protocol::socket;

  enum class Progress : std::uint8_t { kDone, kWantsRead, kWantsWrite, kEnded, kFailed };
  struct Moved {
    Progress progress = Progress::kFailed;
    std::size_t bytes = 0;  ///< with kDone
  };

  /// `socket` is non-blocking; without `session` the bytes are plain.
  Stream(Socket socket, SslSession session) : socket_(std::move(socket)), session_(std::move(session)) {}

  /// False when it failed or was cancelled.
  boost::asio::awaitable<bool> handshake();
  /// Takes what is there now.
  Moved try_read(std::span<std::uint8_t> out);
  /// Takes what is there now from under TLS, to throw it away; after close().
  Moved try_drain(std::span<std::uint8_t> out);
  boost::asio::awaitable<bool> write(std::span<const std::uint8_t> bytes);
  /// Waits until try_read or the write can go on. False when cancelled.
  boost::asio::awaitable<bool> wait(Progress wanted);
  /// Says goodbye (close_notify) as far as that is possible at once, and ends the sending direction.
  void close();
  /// Makes a pending wait return false.
  void cancel();

  [[nodiscard]] bool secure() const { return session_ != nullptr; }
  [[nodiscard]] auto get_executor() { return socket_.get_executor(); }

 private:
  Moved try_write(std::span<const std::uint8_t> bytes);
  Progress progress_of(int outcome);

  Socket socket_;
  SslSession session_;
};

}  // namespace zkv::gateway::http
