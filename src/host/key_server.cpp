// One loop of poll() over listeners, connections that still read, and an eventfd that ends it.
#include "host/key_server.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>

#include "base/plain_text.h"

namespace zkv::host {

namespace {

using Steady = std::chrono::steady_clock;

std::string words_of(const Wanted& wanted) {
  if (wanted.kind == Wanted::Kind::kVolume) return "the key of " + plain_text(wanted.name);
  return "the secret " + plain_text(wanted.name) + " for " + plain_text(wanted.unit);
}

/// For the peer too where a child of ours has a copy of the descriptor.
void hang_up(const FileDescriptor& socket) { ::shutdown(socket.get(), SHUT_RDWR); }

std::string words_of(const Peer& peer) {
  return "uid " + std::to_string(peer.uid) + ", pid " + std::to_string(peer.pid);
}

}  // namespace

/// One that has not taken all of its key yet.
struct KeyServer::Connection {
  FileDescriptor socket;
  unlock::KeyShelf::Key key;
  std::size_t sent = 0;
  Steady::time_point until;
};

KeyServer::KeyServer(std::vector<Listening> sockets, unlock::KeyShelf& shelf, KeyServerOptions options)
    : shelf_(shelf), options_(std::move(options)), wake_(::eventfd(0, EFD_CLOEXEC)) {
  for (auto& [name, socket] : sockets) {
    if (name != "cryptsetup" && name != "credentials") continue;
    const auto kind = name == "cryptsetup" ? Wanted::Kind::kVolume : Wanted::Kind::kCredential;
    listeners_.push_back({kind, std::move(socket)});
  }
  thread_ = std::jthread([this](const std::stop_token& stop) { serve(stop); });
}

KeyServer::~KeyServer() {
  thread_.request_stop();
  const std::uint64_t one = 1;
  while (::write(wake_.get(), &one, sizeof one) < 0 && errno == EINTR) {
  }
  thread_.join();
}

bool KeyServer::serves(Wanted::Kind kind) const {
  return std::any_of(listeners_.begin(), listeners_.end(),
                     [&](const Listener& listener) { return listener.kind == kind; });
}

void KeyServer::remove_paths() const {
  for (const auto& listener : listeners_) {
    sockaddr_un address{};
    socklen_t length = sizeof address;
    const int fd = listener.socket.get();
    const bool is_known = ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) == 0;
    if (is_known && address.sun_path[0] == '/') ::unlink(address.sun_path);
  }
}

void KeyServer::serve(const std::stop_token& stop) {
  std::vector<Connection> open;
  while (true) {
    const bool is_last = !wait(open, stop);
    const auto now = Steady::now();
    std::erase_if(open, [&](Connection& connection) {
      const bool is_over = is_done(connection) || connection.until <= now;
      if (is_over) hang_up(connection.socket);
      return is_over;
    });
    const bool took_all = accept_all(open);
    if (!is_last) continue;
    for (const auto& connection : open) hang_up(connection.socket);
    open.clear();
    if (took_all) return;
  }
}

/// False when it is to end.
bool KeyServer::wait(const std::vector<Connection>& open, const std::stop_token& stop) const {
  std::vector<pollfd> watched{{wake_.get(), POLLIN, 0}};
  auto until = Steady::time_point::max();
  for (const auto& connection : open) {
    watched.push_back({connection.socket.get(), POLLOUT, 0});
    until = std::min(until, connection.until);
  }
  if (open.size() < options_.most_connections) {
    for (const auto& listener : listeners_) watched.push_back({listener.socket.get(), POLLIN, 0});
  }
  int limit = -1;
  if (!open.empty()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Steady::now());
    limit = static_cast<int>(std::max<std::chrono::milliseconds::rep>(left.count(), 0));
  }
  static_cast<void>(::poll(watched.data(), watched.size(), limit));
  return !stop.stop_requested();
}

/// Answers as many as there is room for; false when more may be queued.
bool KeyServer::accept_all(std::vector<Connection>& open) {
  for (const auto& listener : listeners_) {
    while (true) {
      if (open.size() >= options_.most_connections) return false;
      FileDescriptor socket(::accept4(listener.socket.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
      if (!socket.is_open() && (errno == EINTR || errno == ECONNABORTED)) continue;
      if (!socket.is_open()) break;
      auto key = key_for(listener, socket.get());
      if (!key) {
        say("warning: " + key.error().message());
        hang_up(socket);
        continue;
      }
      Connection connection{std::move(socket), std::move(*key), 0, Steady::now() + options_.limit};
      if (!is_done(connection)) {
        open.push_back(std::move(connection));
      } else {
        hang_up(connection.socket);
      }
    }
  }
  return true;
}

/// Errors: kDenied, kInvalid, kNotFound, each with who it was.
Result<unlock::KeyShelf::Key> KeyServer::key_for(const Listener& listener, int connection) const {
  ZKV_TRY(const auto peer, peer_of(connection));
  const auto refused = "refused a connection (" + words_of(peer) + "): ";
  if (peer.uid != options_.allowed_uid) return Error::denied(refused + "only root may ask");
  const auto wanted = parse_wanted(peer.address);
  if (!wanted) return Error::invalid(refused + wanted.error().message());
  if (wanted->kind != listener.kind) {
    return Error::denied(refused + words_of(*wanted) + " is not handed out at this socket");
  }
  const bool is_volume = wanted->kind == Wanted::Kind::kVolume;
  const auto shelf = is_volume ? unlock::ShelfKind::kVolume : unlock::ShelfKind::kSecret;
  auto key = shelf_.hand_out(shelf, wanted->name, wanted->unit);
  if (!key) return Error(key.error().kind(), "refused " + words_of(*wanted) + ": " + key.error().message());
  say("handing out " + words_of(*wanted));
  return key;
}

/// Sends what the peer takes now; true when it has all, or is gone.
bool KeyServer::is_done(Connection& connection) {
  const auto all = connection.key->span();
  while (connection.sent < all.size()) {
    const auto left = all.subspan(connection.sent);
    const ssize_t sent =
        ::send(connection.socket.get(), left.data(), left.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return false;
    if (sent < 0) break;
    connection.sent += static_cast<std::size_t>(sent);
  }
  return true;
}

void KeyServer::say(const std::string& line) const {
  if (options_.say) options_.say(line);
}

}  // namespace zkv::host
