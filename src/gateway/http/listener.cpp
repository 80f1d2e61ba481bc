// Plain socket calls; every descriptor is non-blocking and closed on exec.
#include "gateway/http/listener.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace zkv::gateway::http {

namespace {

constexpr int kBacklog = 4096;
constexpr std::string_view kMapped("\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);

bool is_ipv4(const AddressBytes& address) {
  return std::memcmp(address.data(), kMapped.data(), kMapped.size()) == 0;
}

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

SocketAddress to_socket_address(const ListenAddress& address) {
  SocketAddress result;
  if (is_ipv4(address.host)) {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(address.port);
    std::memcpy(&in.sin_addr, address.host.data() + kMapped.size(), sizeof in.sin_addr);
    std::memcpy(&result.storage, &in, sizeof in);
    result.size = sizeof in;
  } else {
    sockaddr_in6 in{};
    in.sin6_family = AF_INET6;
    in.sin6_port = htons(address.port);
    std::memcpy(&in.sin6_addr, address.host.data(), sizeof in.sin6_addr);
    std::memcpy(&result.storage, &in, sizeof in);
    result.size = sizeof in;
  }
  return result;
}

Result<std::uint16_t> port_of(int socket) {
  SocketAddress address;
  address.size = sizeof address.storage;
  if (::getsockname(socket, address.get(), &address.size) != 0)
    return Error::system("asking for the port", errno);
  // The port stands at the same place in both families.
  sockaddr_in in{};
  std::memcpy(&in, &address.storage, sizeof in);
  return ntohs(in.sin_port);
}

Result<sockaddr_un> to_unix_address(const std::filesystem::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const auto& text = path.native();
  if (text.size() >= sizeof address.sun_path) {
    return Error::invalid(path.string() + " is too long for a unix socket")
        .remedy("set control-socket to a path of at most 107 characters");
  }
  std::copy(text.begin(), text.end(), std::begin(address.sun_path));
  return address;
}

/// Whether a process accepts connections at this path.
bool is_served(sockaddr_un& address) {
  const FileDescriptor probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  return ::connect(probe.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
}

}  // namespace

Result<TcpListener> listen_tcp(const ListenAddress& address) {
  auto target = to_socket_address(address);
  const auto failed = [&] {
    return Error::system("listening on " + to_text(address.host, address.port), errno);
  };
  TcpListener listener{
      FileDescriptor(::socket(target.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)), 0};
  const int on = 1;
  if (!listener.socket.is_open() ||
      ::setsockopt(listener.socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
      ::bind(listener.socket.get(), target.get(), target.size) != 0 ||
      ::listen(listener.socket.get(), kBacklog) != 0) {
    return failed();
  }
  ZKV_TRY(listener.port, port_of(listener.socket.get()));
  return listener;
}

Result<FileDescriptor> listen_unix(const std::filesystem::path& path) {
  ZKV_TRY(auto address, to_unix_address(path));
  if (is_served(address)) {
    return Error::exists("another gateway serves " + path.string())
        .remedy("stop it, or use another data-dir");
  }
  struct stat info {};
  if (::lstat(path.c_str(), &info) == 0 && !S_ISSOCK(info.st_mode)) {
    return Error::exists(path.string() + " is there already, and is no socket")
        .remedy("look what it is, and remove it, or set another control-socket");
  }
  ::unlink(path.c_str());
  FileDescriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const mode_t mask = ::umask(0177);
  const bool bound =
      socket.is_open() && ::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  const int reason = errno;
  ::umask(mask);
  if (!bound) return Error::system("listening on " + path.string(), reason);
  if (::listen(socket.get(), kBacklog) != 0) return Error::system("listening on " + path.string(), errno);
  return socket;
}

Result<FileDescriptor> duplicate(const FileDescriptor& socket) {
  FileDescriptor copy(::fcntl(socket.get(), F_DUPFD_CLOEXEC, 0));
  if (!copy.is_open()) return Error::system("duplicating a socket", errno);
  return copy;
}

std::optional<uid_t> peer_user(int socket) {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return std::nullopt;
  return credentials.uid;
}

std::string to_text(const AddressBytes& host, std::uint16_t port) {
  const auto address = gateway::to_text(host);
  const bool bare = address.find(':') == std::string::npos;
  return bare ? fmt::format("{}:{}", address, port) : fmt::format("[{}]:{}", address, port);
}

}  // namespace zkv::gateway::http
