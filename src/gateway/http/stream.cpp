// Non-blocking calls first, waiting only when the system or OpenSSL says so.
#include "gateway/http/stream.h"

#include <openssl/err.h>
#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>

namespace zkv::gateway::http {

namespace asio = boost::asio;

namespace {

Stream::Moved moved_by(ssize_t outcome, Stream::Progress wanted) {
  if (outcome > 0) return {Stream::Progress::kDone, static_cast<std::size_t>(outcome)};
  if (outcome == 0) return {Stream::Progress::kEnded, 0};
  const bool again = errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
  return {again ? wanted : Stream::Progress::kFailed, 0};
}

}  // namespace

Stream::Progress Stream::progress_of(int outcome) {
  switch (SSL_get_error(session_.get(), outcome)) {
    case SSL_ERROR_NONE:
      return Progress::kDone;
    case SSL_ERROR_WANT_READ:
      return Progress::kWantsRead;
    case SSL_ERROR_WANT_WRITE:
      return Progress::kWantsWrite;
    case SSL_ERROR_ZERO_RETURN:
      return Progress::kEnded;
    default:
      return Progress::kFailed;
  }
}

asio::awaitable<bool> Stream::handshake() {
  if (!session_) co_return true;
  while (true) {
    ERR_clear_error();
    const auto progress = progress_of(SSL_do_handshake(session_.get()));
    if (progress == Progress::kDone) co_return true;
    if (progress != Progress::kWantsRead && progress != Progress::kWantsWrite) co_return false;
    if (!co_await wait(progress)) co_return false;
  }
}

Stream::Moved Stream::try_drain(std::span<std::uint8_t> out) {
  return moved_by(::recv(socket_.native_handle(), out.data(), out.size(), 0), Progress::kWantsRead);
}

Stream::Moved Stream::try_read(std::span<std::uint8_t> out) {
  if (!session_) return try_drain(out);
  ERR_clear_error();
  std::size_t bytes = 0;
  const int outcome = SSL_read_ex(session_.get(), out.data(), out.size(), &bytes);
  return {progress_of(outcome), bytes};
}

Stream::Moved Stream::try_write(std::span<const std::uint8_t> bytes) {
  if (!session_) {
    return moved_by(::send(socket_.native_handle(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
                    Progress::kWantsWrite);
  }
  ERR_clear_error();
  std::size_t written = 0;
  const int outcome = SSL_write_ex(session_.get(), bytes.data(), bytes.size(), &written);
  return {progress_of(outcome), written};
}

asio::awaitable<bool> Stream::write(std::span<const std::uint8_t> bytes) {
  while (!bytes.empty()) {
    const auto moved = try_write(bytes);
    if (moved.progress == Progress::kDone) {
      bytes = bytes.subspan(moved.bytes);
    } else if (moved.progress == Progress::kWantsRead || moved.progress == Progress::kWantsWrite) {
      if (!co_await wait(moved.progress)) co_return false;
    } else {
      co_return false;
    }
  }
  co_return true;
}

asio::awaitable<bool> Stream::wait(Progress wanted) {
  const auto what = wanted == Progress::kWantsWrite ? Socket::wait_write : Socket::wait_read;
  const auto [error] = co_await socket_.async_wait(what, asio::as_tuple(asio::use_awaitable));
  co_return !error;
}

void Stream::close() {
  ERR_clear_error();
  if (session_ && SSL_is_init_finished(session_.get()) != 0) SSL_shutdown(session_.get());
  ::shutdown(socket_.native_handle(), SHUT_WR);
}

void Stream::cancel() {
  boost::system::error_code ignored;
  socket_.cancel(ignored);
}

}  // namespace zkv::gateway::http
