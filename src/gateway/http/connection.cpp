// A coroutine for each connection; while a handler waits, no buffer is held.
#include "gateway/http/connection.h"

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <optional>
#include <utility>

namespace zkv::gateway::http {

namespace asio = boost::asio;

namespace {

constexpr std::size_t kReadAheadLimit = 8 * 1024;
constexpr std::size_t kFarewellLimit = 256 * 1024;
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

}  // namespace

Connection::Connection(Stream stream, Peer peer, const Surroundings& around, std::span<std::uint8_t> scratch)
    : stream_(std::move(stream)),
      peer_(std::move(peer)),
      around_(around),
      scratch_(scratch),
      timer_(stream_.get_executor()) {}

asio::awaitable<void> Connection::run() {
  const auto alive = shared_from_this();
  expire_after(around_.timeouts.handshake);
  if (!co_await stream_.handshake()) {
    if (timed_out_) note("the TLS handshake did not end in time");
    co_return;
  }
  expire_after(around_.timeouts.request);
  bool goes_on = co_await exchange();
  while (goes_on) {
    expire_after(around_.timeouts.idle);
    idle_ = true;
    // Who sends one request behind the other keeps nobody else waiting: also not what the timer has ended,
    // which would pile up.
    co_await asio::post(stream_.get_executor(), asio::use_awaitable);
    goes_on = co_await exchange();
  }
  co_await farewell();
}

/// Reads one request and answers it. Returns whether the connection goes on.
asio::awaitable<bool> Connection::exchange() {
  std::optional<RequestReader> reader(std::in_place);
  if (!co_await read_request(*reader)) co_return false;
  Incoming incoming = reader->take_request();
  reader.reset();
  never_expire();
  describe_client(incoming);
  const bool keep_alive = incoming.keep_alive;
  const bool head_only = incoming.method == "HEAD";
  const Reply reply = co_await around_.router.route(std::move(incoming));
  if (reply.hang_up) co_return false;
  co_return co_await send(reply, keep_alive && !around_.stopping, head_only);
}

/// False when there is none: the client has ended, was too slow, or was refused (and told so).
asio::awaitable<bool> Connection::read_request(RequestReader& reader) {
  bool begun = false;
  while (true) {
    if (!input_.empty() && std::exchange(idle_, false)) expire_after(around_.timeouts.request);
    begun = begun || !input_.empty();
    const auto state = reader.take(input_);
    if (state == RequestReader::State::kDone) break;
    if (state == RequestReader::State::kRefused) {
      co_await refuse(reader.status(), reader.why());
      co_return false;
    }
    if (reader.wants_continue()) co_await stream_.write(bytes_of(kContinue));
    const bool filled = co_await fill();
    if (filled) continue;
    if (begun && timed_out_) co_await refuse(408, "the request did not arrive in time");
    co_return false;
  }
  if (input_.empty()) std::string().swap(input_);
  co_return true;
}

/// Waits for bytes and appends them to the input; false when there will be none.
asio::awaitable<bool> Connection::fill() {
  while (true) {
    const auto moved = stream_.try_read(scratch_);
    if (moved.progress == Stream::Progress::kDone) {
      input_.append(reinterpret_cast<const char*>(scratch_.data()), moved.bytes);
      co_return true;
    }
    if (moved.progress == Stream::Progress::kEnded || moved.progress == Stream::Progress::kFailed)
      co_return false;
    if (!co_await stream_.wait(moved.progress)) co_return false;
  }
}

asio::awaitable<void> Connection::refuse(unsigned status, std::string_view why) {
  note(std::to_string(status) + " " + std::string(why));
  const Reply reply = problem(status, why);
  co_await send(reply, false, false);
}

void Connection::note(std::string why) const {
  around_.refused("refused.http", peer_.name.empty() ? to_text(peer_.address) : peer_.name, std::move(why));
}

asio::awaitable<bool> Connection::send(const Reply& reply, bool keep_alive, bool head_only) {
  if (reply.next_part) co_return co_await send_parts(reply);
  if (reply.cookie) co_return co_await send_with_cookie(reply, keep_alive);
  timed_out_ = false;
  expire_after(around_.timeouts.write);
  const auto secret = reply.secret ? reply.secret->span() : std::span<const std::uint8_t>();
  std::string head = serialize_head(reply, keep_alive, reply.secret ? secret.size() : reply.body.size());
  if (!head_only && !reply.secret) head += reply.body;
  bool written = co_await stream_.write(bytes_of(head));
  if (written && reply.secret) written = co_await stream_.write(secret);
  never_expire();
  if (!written && timed_out_) note("an answer was not read in time");
  if (reply.written) reply.written(written);
  co_return written&& keep_alive;
}

/// Goes on until there is no further part, the client has gone or reads too slowly, or the server stops.
asio::awaitable<bool> Connection::send_parts(const Reply& reply) {
  expire_after(around_.timeouts.write);
  const std::string head = serialize_head(reply, false, std::nullopt);
  bool written = co_await stream_.write(bytes_of(head));
  while (written && !around_.stopping) {
    never_expire();
    const auto part = co_await reply.next_part();
    if (!part) break;
    expire_after(around_.timeouts.write);
    written = co_await stream_.write(bytes_of(*part));
  }
  never_expire();
  co_return false;
}

asio::awaitable<bool> Connection::send_with_cookie(const Reply& reply, bool keep_alive) {
  expire_after(around_.timeouts.write);
  const auto all = serialize_with_cookie(reply, keep_alive);
  const bool written = co_await stream_.write(all.span());
  never_expire();
  if (!written && timed_out_) note("an answer was not read in time");
  co_return written&& keep_alive;
}

/// Reads ahead a little while a handler waits, so that the end of the stream is noticed at once. A client
/// that sends more than that without waiting for its answer is treated as gone.
asio::awaitable<void> Connection::client_gone() {
  while (input_.size() < kReadAheadLimit) {
    const bool filled = co_await fill();
    if (!filled) co_return;
  }
}

/// Ends our direction and takes what the client still sends, so that it reads the answer before a reset.
asio::awaitable<void> Connection::farewell() {
  stream_.close();
  expire_after(around_.timeouts.farewell);
  for (std::size_t total = 0; total < kFarewellLimit;) {
    const auto moved = stream_.try_drain(scratch_);
    total += moved.bytes;
    if (moved.progress == Stream::Progress::kDone) continue;
    if (moved.progress != Stream::Progress::kWantsRead) break;
    const bool readable = co_await stream_.wait(moved.progress);
    if (!readable) break;
  }
  never_expire();
}

void Connection::describe_client(Incoming& incoming) {
  const auto origin = origin_of({peer_.address, stream_.secure()}, incoming.headers, around_.trusted_proxies);
  incoming.client = origin.address;
  incoming.client_name = peer_.name.empty() ? to_text(origin.address) : peer_.name;
  incoming.secure = origin.secure;
  incoming.client_gone = [this] { return client_gone(); };
}

void Connection::close_if_idle() {
  if (idle_) stream_.cancel();
}

void Connection::expire_after(std::chrono::milliseconds time) {
  timed_out_ = false;
  timer_.expires_after(time);
  timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
    const auto self = weak.lock();
    if (error || !self || self->timer_.expiry() > asio::steady_timer::clock_type::now()) return;
    self->timed_out_ = true;
    self->stream_.cancel();
  });
}

void Connection::never_expire() { timer_.expires_at(asio::steady_timer::time_point::max()); }

}  // namespace zkv::gateway::http
