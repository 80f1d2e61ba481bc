// The test server: a thread for each connection, blocking sockets, HTTP/1.1 with Content-Length.
#include "http_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <tuple>

namespace zkv::test {

namespace {

constexpr char kTlsHandshake = 0x16;

struct TlsFree {
  void operator()(SSL* tls) const { SSL_free(tls); }
};

std::pair<FileDescriptor, int> listen_on_loopback(int backlog = 64) {
  FileDescriptor fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(fd.get(), generic, size) != 0 || ::listen(fd.get(), backlog) != 0 ||
      ::getsockname(fd.get(), generic, &size) != 0) {
    throw std::runtime_error("listen");
  }
  return {std::move(fd), ntohs(address.sin_port)};
}

FileDescriptor listen_at(const std::string& path) {
  FileDescriptor fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
      ::listen(fd.get(), 64) != 0) {
    throw std::runtime_error("listen");
  }
  return fd;
}

std::size_t content_length(const std::string& head) {
  std::string lower(head);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const std::size_t at = lower.find("\r\ncontent-length:");
  return at == std::string::npos ? 0 : std::strtoul(lower.c_str() + at + 17, nullptr, 10);
}

}  // namespace

/// One accepted connection: plain, or TLS over it.
struct HttpServer::Connection {
  int fd;
  std::unique_ptr<SSL, TlsFree> tls;
  std::string unread;

  bool read_more() {
    std::array<char, 4096> chunk{};
    const auto got = tls ? SSL_read(tls.get(), chunk.data(), static_cast<int>(chunk.size()))
                         : static_cast<int>(::recv(fd, chunk.data(), chunk.size(), 0));
    if (got <= 0) return false;
    unread.append(chunk.data(), static_cast<std::size_t>(got));
    return true;
  }

  bool write(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto sent = tls ? SSL_write(tls.get(), bytes.data(), static_cast<int>(bytes.size()))
                            : static_cast<int>(::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL));
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
};

RawAnswer answer(int status, std::string_view body, const std::string& headers) {
  return {.bytes = "HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Length: " +
                   std::to_string(body.size()) + "\r\n" + headers + "\r\n" + std::string(body)};
}

HttpServer::HttpServer(Handler handler, const Certificate* certificate, const std::string& socket)
    : handler_(std::move(handler)) {
  std::signal(SIGPIPE, SIG_IGN);
  if (certificate != nullptr) {
    tls_.reset(SSL_CTX_new(TLS_server_method()));
    SSL_CTX_use_certificate(tls_.get(), certificate->certificate.get());
    SSL_CTX_use_PrivateKey(tls_.get(), certificate->key.get());
  }
  if (socket.empty()) {
    std::tie(listener_, port_) = listen_on_loopback();
  } else {
    listener_ = listen_at(socket);
  }
  acceptor_ = std::thread([this] { accept_all(); });
}

HttpServer::~HttpServer() {
  is_ending_ = true;
  ::shutdown(listener_.get(), SHUT_RDWR);
  acceptor_.join();
  {
    const std::lock_guard lock(mutex_);
    for (const int fd : open_) ::shutdown(fd, SHUT_RDWR);
  }
  for (auto& worker : workers_) worker.join();
}

std::string HttpServer::url() const {
  return (tls_ ? "https://localhost:" : "http://127.0.0.1:") + std::to_string(port_);
}

std::vector<ReceivedRequest> HttpServer::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

void HttpServer::await_requests(std::size_t count) const {
  for (std::size_t seen = request_count_; seen < count; seen = request_count_) request_count_.wait(seen);
}

void HttpServer::accept_all() {
  while (true) {
    const int fd = ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return;
    ++connections_;
    const std::lock_guard lock(mutex_);
    open_.push_back(fd);
    workers_.emplace_back([this, fd] { serve(fd); });
  }
}

void HttpServer::serve(int fd) {
  Connection connection{.fd = fd, .tls = nullptr, .unread = {}};
  bool is_open = true;
  if (tls_) {
    connection.tls.reset(SSL_new(tls_.get()));
    SSL_set_fd(connection.tls.get(), fd);
    is_open = SSL_accept(connection.tls.get()) == 1;
  }
  while (is_open && !is_ending_) is_open = serve_one(connection);
  const std::lock_guard lock(mutex_);
  open_.erase(std::find(open_.begin(), open_.end(), fd));
  ::close(fd);
}

bool HttpServer::serve_one(Connection& connection) {
  std::size_t end = 0;
  while ((end = connection.unread.find("\r\n\r\n")) == std::string::npos) {
    if (!connection.read_more()) return false;
    if (connection.unread.front() == kTlsHandshake)
      connection.unread = "TLS where plain http was expected\r\n\r\n";
  }
  ReceivedRequest request{.head = connection.unread.substr(0, end), .body = {}};
  const std::size_t whole = end + 4 + content_length(request.head);
  while (connection.unread.size() < whole) {
    if (!connection.read_more()) return false;
  }
  request.body = connection.unread.substr(end + 4, whole - end - 4);
  connection.unread.erase(0, whole);
  RawAnswer reply;
  {
    const std::lock_guard lock(mutex_);
    requests_.push_back(request);
    reply = handler_(request);
  }
  ++request_count_;
  request_count_.notify_all();
  const bool was_sent = connection.write(reply.bytes);
  if (reply.then_hang) connection.read_more();
  return was_sent && !reply.then_close && !reply.then_hang;
}

FullListener::FullListener() {
  std::tie(listener_, port_) = listen_on_loopback(0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port_));
  for (int connection = 0; connection < 4; ++connection) {
    queue_.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    static_cast<void>(::connect(queue_.back().get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)));
  }
}

int unused_port() { return listen_on_loopback().second; }

}  // namespace zkv::test
