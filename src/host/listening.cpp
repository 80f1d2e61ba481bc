// Read by hand: three words of the environment.
#include "host/listening.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <sstream>
#include <string_view>

namespace zkv::host {

namespace {

constexpr int kFirstPassed = 3;
constexpr long kMostPassed = 64;

std::string taken_word(const char* name) {
  const char* value = std::getenv(name);
  std::string word = value == nullptr ? "" : value;
  ::unsetenv(name);
  return word;
}

long number_of(std::string_view word) {
  long number = 0;
  const auto [end, failed] = std::from_chars(word.data(), word.data() + word.size(), number);
  return failed == std::errc() && end == word.data() + word.size() ? number : 0;
}

int socket_option(int fd, int option) {
  int value = -1;
  socklen_t size = sizeof value;
  return ::getsockopt(fd, SOL_SOCKET, option, &value, &size) == 0 ? value : -1;
}

bool is_listening_unix_stream(int fd) {
  return socket_option(fd, SO_DOMAIN) == AF_UNIX && socket_option(fd, SO_TYPE) == SOCK_STREAM &&
         socket_option(fd, SO_ACCEPTCONN) == 1;
}

}  // namespace

std::vector<Listening> take_listening_sockets() {
  const auto meant = taken_word("LISTEN_PID");
  const auto count = number_of(taken_word("LISTEN_FDS"));
  std::istringstream names(taken_word("LISTEN_FDNAMES"));
  std::vector<Listening> sockets;
  if (number_of(meant) != ::getpid() || count < 1 || count > kMostPassed) return sockets;
  for (int fd = kFirstPassed; fd < kFirstPassed + count; ++fd) {
    std::string name;
    std::getline(names, name, ':');
    FileDescriptor socket(fd);
    const bool is_ours = ::fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 && ::fcntl(fd, F_SETFL, O_NONBLOCK) == 0 &&
                         is_listening_unix_stream(fd);
    if (is_ours) sockets.push_back({std::move(name), std::move(socket)});
  }
  return sockets;
}

}  // namespace zkv::host
