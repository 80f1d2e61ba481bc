// Accepting as many as there are at each wake-up; a shortage of descriptors only makes it pause.
#include "gateway/http/worker.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <cstring>

namespace zkv::gateway::http {

namespace asio = boost::asio;

namespace {

constexpr int kAcceptAtOnce = 64;
constexpr auto kShortagePause = std::chrono::milliseconds(100);

AddressBytes address_of(const sockaddr_storage& peer) {
  if (peer.ss_family == AF_INET6) {
    sockaddr_in6 in{};
    std::memcpy(&in, &peer, sizeof in);
    AddressBytes address{};
    std::memcpy(address.data(), &in.sin6_addr, address.size());
    return address;
  }
  AddressBytes address{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (peer.ss_family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, &peer, sizeof in);
    std::memcpy(address.data() + 12, &in.sin_addr, sizeof in.sin_addr);
  }
  return address;
}

}  // namespace

void Worker::serve_public(FileDescriptor listener, const Public& settings) {
  listen(std::move(listener), [this, settings](int socket, const AddressBytes& address) {
    admit_public(socket, address, settings);
  });
}

void Worker::serve_control(FileDescriptor listener, const Surroundings& around) {
  listen(std::move(listener),
         [this, &around](int socket, const AddressBytes& /*none*/) { admit_control(socket, around); });
}

void Worker::listen(FileDescriptor listener, Admit admit) {
  auto descriptor = std::make_shared<asio::posix::stream_descriptor>(io_, listener.release());
  listeners_.push_back(descriptor);
  asio::co_spawn(io_, accept(descriptor, std::move(admit)), [](const std::exception_ptr&) {});
}

void Worker::run() { io_.run(); }

void Worker::close_down() {
  asio::post(io_, [this] {
    for (auto& listener : listeners_) {
      boost::system::error_code ignored;
      listener->close(ignored);
    }
    for (auto* connection : connections_) connection->close_if_idle();
  });
}

void Worker::abandon() { io_.stop(); }

asio::awaitable<void> Worker::accept(std::shared_ptr<asio::posix::stream_descriptor> listener, Admit admit) {
  asio::steady_timer pause(io_);
  while (true) {
    const auto [error] = co_await listener->async_wait(asio::posix::stream_descriptor::wait_read,
                                                       asio::as_tuple(asio::use_awaitable));
    if (error) co_return;
    if (accept_pending(listener->native_handle(), admit)) continue;
    pause.expires_after(kShortagePause);
    co_await pause.async_wait(asio::as_tuple(asio::use_awaitable));
    if (!listener->is_open()) co_return;
  }
}

/// False when the system lacks descriptors or memory for more.
bool Worker::accept_pending(int listener, const Admit& admit) {
  for (int i = 0; i < kAcceptAtOnce; ++i) {
    sockaddr_storage peer{};
    socklen_t size = sizeof peer;
    const int socket =
        ::accept4(listener, reinterpret_cast<sockaddr*>(&peer), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (socket >= 0) {
      admit(socket, address_of(peer));
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      return true;
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      spdlog::warn("cannot accept connections: {}", std::strerror(errno));
      return false;
    }
  }
  return true;
}

void Worker::admit_public(int socket, const AddressBytes& address, const Public& settings) {
  FileDescriptor guard(socket);
  const bool trusted = contains(settings.around.trusted_proxies, address);
  if (!settings.limits.enter(address, trusted)) {
    settings.around.refused("refused.connections", gateway::to_text(address), "too many connections");
    return;
  }
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  auto session = settings.tls != nullptr ? settings.tls->make_session(socket) : nullptr;
  if (settings.tls != nullptr && !session) return settings.limits.leave(address, trusted);
  Stream stream(Stream::Socket(io_, asio::generic::stream_protocol(AF_INET, 0), guard.release()),
                std::move(session));
  start(std::make_shared<Connection>(std::move(stream), Connection::Peer{address, {}}, settings.around,
                                     scratch_),
        [&limits = settings.limits, address, trusted] { limits.leave(address, trusted); });
}

void Worker::admit_control(int socket, const Surroundings& around) {
  FileDescriptor guard(socket);
  const auto user = peer_user(socket);
  if (!user || (*user != 0 && *user != ::geteuid())) {
    around.refused("refused.control", "uid " + (user ? std::to_string(*user) : "unknown"), "control socket");
    return;
  }
  Stream stream(Stream::Socket(io_, asio::generic::stream_protocol(AF_UNIX, 0), guard.release()), nullptr);
  Connection::Peer peer{{}, "uid " + std::to_string(*user)};
  start(std::make_shared<Connection>(std::move(stream), std::move(peer), around, scratch_), [] {});
}

void Worker::start(const std::shared_ptr<Connection>& connection, const std::function<void()>& ended) {
  auto* const key = connection.get();
  connections_.insert(key);
  asio::co_spawn(io_, connection->run(), [this, connection, key, ended](const std::exception_ptr& failure) {
    connections_.erase(key);
    ended();
    if (!failure) return;
    try {
      std::rethrow_exception(failure);
    } catch (const std::exception& error) {
      spdlog::error("a connection ended by an error: {}", error.what());
    }
  });
}

}  // namespace zkv::gateway::http
