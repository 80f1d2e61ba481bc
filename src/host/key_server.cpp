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

/// One that has not taken all of its answer yet.
struct KeyServer::Connection {
  FileDescriptor socket;
  Answer answer;
  std::chrono::steady_clock::time_point until;
};

KeyServer::KeyServer(std::vector<Listening> sockets, unlock::KeyShelf& shelf, KeyServerOptions options)
    : shelf_(shelf),
      options_(std::move(options)),
      too_long_(std::make_shared<const Bytes>(kTooLong)),
      wake_(::eventfd(0, EFD_CLOEXEC)) {
  for (auto& [name, socket] : sockets) {
    if (name != "cryptsetup" && name != "credentials") continue;
    const auto kind = name == "cryptsetup" ? Wanted::Kind::kVolume : Wanted::Kind::kCredential;
    listeners_.push_back({kind, std::move(socket)});
  }
  thread_ = std::jthread([this](const std::stop_token& stop) { serve(stop); });
}

KeyServer::~KeyServer() {
  remove_paths();
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
  while (!stop.stop_requested()) {
    go_on(open);
    wait(open, false);
  }
  finish(open);
}

/// Until all that is queued has been answered, or the last time limit is up.
void KeyServer::finish(std::vector<Connection>& open) {
  const auto last = std::chrono::steady_clock::now() + options_.last_limit;
  while (true) {
    for (auto& connection : open) connection.until = std::min(connection.until, last);
    go_on(open);
    if (open.empty() || std::chrono::steady_clock::now() >= last) break;
    wait(open, true);
  }
  for (const auto& connection : open) hang_up(connection.socket);
}

void KeyServer::wait(const std::vector<Connection>& open, bool is_last) const {
  std::vector<pollfd> watched;
  if (!is_last) watched.push_back({wake_.get(), POLLIN, 0});
  auto until = std::chrono::steady_clock::time_point::max();
  for (const auto& connection : open) {
    watched.push_back({connection.socket.get(), POLLOUT, 0});
    until = std::min(until, connection.until);
  }
  if (!is_last && open.size() < options_.most_connections) {
    for (const auto& listener : listeners_) watched.push_back({listener.socket.get(), POLLIN, 0});
  }
  int limit = -1;
  if (!open.empty()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    limit = static_cast<int>(std::max<std::chrono::milliseconds::rep>(left.count(), 0));
  }
  static_cast<void>(::poll(watched.data(), watched.size(), limit));
}

void KeyServer::go_on(std::vector<Connection>& open) {
  const auto now = std::chrono::steady_clock::now();
  std::erase_if(open, [&](Connection& connection) {
    const bool is_over = is_done(connection) || connection.until <= now;
    if (is_over) hang_up(connection.socket);
    return is_over;
  });
  for (const auto& listener : listeners_) accept_all(listener, open);
}

/// Answers as many as there is room for.
void KeyServer::accept_all(const Listener& listener, std::vector<Connection>& open) {
  while (open.size() < options_.most_connections) {
    FileDescriptor socket(::accept4(listener.socket.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!socket.is_open() && (errno == EINTR || errno == ECONNABORTED)) continue;
    if (!socket.is_open()) return;
    auto answer = answer_for(listener, socket.get());
    Connection connection{std::move(socket), std::move(answer),
                          std::chrono::steady_clock::now() + options_.limit};
    if (is_done(connection)) {
      hang_up(connection.socket);
    } else {
      open.push_back(std::move(connection));
    }
  }
}

KeyServer::Answer KeyServer::answer_for(const Listener& listener, int connection) const {
  const auto wanted = wanted_of(listener, connection);
  if (!wanted) {
    say("warning: refused a connection" + wanted.error().message());
    return wanted.error().kind() == ErrorKind::kInvalid ? refused_at(listener.kind) : Answer{};
  }
  const bool is_volume = wanted->kind == Wanted::Kind::kVolume;
  const auto kind = is_volume ? unlock::ShelfKind::kVolume : unlock::ShelfKind::kSecret;
  const auto key = shelf_.hand_out(kind, wanted->name, wanted->unit);
  if (key) {
    say("handing out " + words_of(*wanted));
    return {*key, (*key)->span()};
  }
  say("warning: refused " + words_of(*wanted) + ": " + key.error().message());
  return refused_at(wanted->kind);
}

KeyServer::Answer KeyServer::refused_at(Wanted::Kind kind) const {
  if (kind == Wanted::Kind::kVolume) return {};
  return {too_long_, *too_long_};
}

/// Errors: kDenied, kInvalid, kIo, with who it was.
Result<Wanted> KeyServer::wanted_of(const Listener& listener, int connection) const {
  ZKV_TRY(const auto peer, peer_of(connection));
  const auto who = " (" + words_of(peer) + "): ";
  if (peer.uid != options_.allowed_uid) return Error::denied(who + "only root may ask");
  auto wanted = parse_wanted(peer.address);
  if (!wanted) return Error::invalid(who + wanted.error().message());
  if (wanted->kind != listener.kind) {
    return Error::denied(who + words_of(*wanted) + " is not handed out at this socket");
  }
  return wanted;
}

/// Sends what the peer takes now; true when it has all, or is gone.
bool KeyServer::is_done(Connection& connection) {
  auto& left = connection.answer.left;
  while (!left.empty()) {
    const ssize_t sent =
        ::send(connection.socket.get(), left.data(), left.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return false;
    if (sent < 0) return true;
    left = left.subspan(static_cast<std::size_t>(sent));
  }
  return true;
}

void KeyServer::say(const std::string& line) const {
  if (options_.say) options_.say(line);
}

}  // namespace zkv::host
