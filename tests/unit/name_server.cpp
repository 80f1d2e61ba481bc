// One question a datagram, one record an answer: RFC 1035, 4.1.
#include "name_server.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <array>
#include <cctype>
#include <stdexcept>

namespace zkv::test {

namespace {

using Message = std::vector<std::uint8_t>;

constexpr std::size_t kHeader = 12;
constexpr std::uint8_t kPtr = 12;
constexpr std::uint8_t kNoSuchName = 3;

std::string name_in(const Message& question, std::size_t& at) {
  std::string name;
  while (at < question.size() && question[at] != 0) {
    if (!name.empty()) name += '.';
    for (std::size_t left = question[at++]; left > 0 && at < question.size(); --left) {
      name += static_cast<char>(std::tolower(question[at++]));
    }
  }
  ++at;
  return name;
}

/// Each label as it stands between dots, whatever is in it.
Message labels_of(const std::string& name) {
  Message labels;
  std::size_t begin = 0;
  while (begin < name.size()) {
    const auto end = std::min(name.find('.', begin), name.size());
    labels.push_back(static_cast<std::uint8_t>(end - begin));
    labels.insert(labels.end(), name.begin() + static_cast<std::ptrdiff_t>(begin),
                  name.begin() + static_cast<std::ptrdiff_t>(end));
    begin = end + 1;
  }
  labels.push_back(0);
  return labels;
}

}  // namespace

NameServer::NameServer()
    : socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)), wake_(::eventfd(0, EFD_CLOEXEC)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* plain = reinterpret_cast<sockaddr*>(&address);
  if (::bind(socket_.get(), plain, size) != 0 || ::getsockname(socket_.get(), plain, &size) != 0) {
    throw std::runtime_error("no port for the name server");
  }
  port_ = ntohs(address.sin_port);
  thread_ = std::jthread([this] { serve(); });
}

NameServer::~NameServer() {
  ::eventfd_write(wake_.get(), 1);
  thread_.join();
}

std::string NameServer::address() const { return "127.0.0.1:" + std::to_string(port_); }

void NameServer::point(const std::string& name, const std::string& to) {
  const std::lock_guard lock(mutex_);
  names_[name] = to;
}

void NameServer::lead(const std::string& name, const std::vector<std::uint8_t>& to) {
  const std::lock_guard lock(mutex_);
  addresses_[name] = to;
}

void NameServer::be_silent() {
  const std::lock_guard lock(mutex_);
  is_silent_ = true;
}

std::size_t NameServer::questions() {
  const std::lock_guard lock(mutex_);
  return questions_;
}

void NameServer::await_question() {
  std::unique_lock lock(mutex_);
  asked_.wait(lock, [this] { return questions_ > 0; });
}

void NameServer::serve() {
  std::array<pollfd, 2> files{pollfd{socket_.get(), POLLIN, 0}, pollfd{wake_.get(), POLLIN, 0}};
  while (true) {
    if (::poll(files.data(), files.size(), -1) < 0) continue;
    if (files[1].revents != 0) return;
    Message question(512);
    sockaddr_in from{};
    socklen_t size = sizeof from;
    auto* plain = reinterpret_cast<sockaddr*>(&from);
    const auto got = ::recvfrom(socket_.get(), question.data(), question.size(), 0, plain, &size);
    if (got < static_cast<ssize_t>(kHeader)) continue;
    question.resize(static_cast<std::size_t>(got));
    const std::lock_guard lock(mutex_);
    ++questions_;
    asked_.notify_all();
    if (is_silent_) continue;
    const auto reply = answer(question);
    ::sendto(socket_.get(), reply.data(), reply.size(), 0, plain, size);
  }
}

Message NameServer::answer(const Message& question) {
  std::size_t end = kHeader;
  const auto name = name_in(question, end);
  const std::uint8_t type = question.at(end + 1);
  Message data;
  if (type == kPtr && names_.contains(name)) data = labels_of(names_[name]);
  if (type != kPtr && addresses_.contains(name)) data = addresses_[name];
  Message reply(question.begin(), question.begin() + static_cast<std::ptrdiff_t>(end) + 4);
  reply[2] = 0x84;
  reply[3] = data.empty() ? kNoSuchName : 0;
  for (std::size_t i = 6; i < kHeader; ++i) reply[i] = 0;
  if (data.empty()) return reply;
  reply[7] = 1;
  const Message head{0xc0, kHeader, 0, type, 0, 1, 0, 0, 0, 60, 0, static_cast<std::uint8_t>(data.size())};
  reply.insert(reply.end(), head.begin(), head.end());
  reply.insert(reply.end(), data.begin(), data.end());
  return reply;
}

}  // namespace zkv::test
