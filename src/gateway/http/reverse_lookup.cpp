// c-ares gives a question back to the callback that it was asked with, also when the channel is closed.
#include "gateway/http/reverse_lookup.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>
#include <utility>
#include <vector>

namespace zkv::gateway::http {

namespace {

constexpr std::size_t kLongestName = 253;  // RFC 1035, 2.3.4, as text without its last dot
constexpr int kTries = 2;

/// What may stand on the page, and in a log: the letters of host names, and the underscore of Windows.
bool is_plain_name(const std::string& name) {
  const auto is_plain = [](unsigned char c) {
    return c < 128 && (std::isalnum(c) != 0 || c == '.' || c == '-' || c == '_');
  };
  return !name.empty() && name.size() <= kLongestName && std::ranges::all_of(name, is_plain);
}

}  // namespace

struct ReverseLookup::Question {
  ReverseLookup& owner;
  std::string address;
  int family;
  std::array<char, sizeof(in6_addr)> bytes;
  std::string name;

  [[nodiscard]] int size() const {
    return static_cast<int>(family == AF_INET ? sizeof(in_addr) : sizeof(in6_addr));
  }
  [[nodiscard]] bool is_among(const hostent& answer) const {
    if (answer.h_addrtype != family || answer.h_length != size()) return false;
    for (char** one = answer.h_addr_list; *one != nullptr; ++one) {
      if (std::memcmp(*one, bytes.data(), static_cast<std::size_t>(size())) == 0) return true;
    }
    return false;
  }
};

Result<std::unique_ptr<ReverseLookup>> ReverseLookup::open(const std::string& servers,
                                                           std::chrono::milliseconds patience, Done done) {
  ares_options options{};
  options.timeout = static_cast<int>(patience.count());
  options.tries = kTries;
  ares_channel opened = nullptr;
  int status = ares_init_options(&opened, &options, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES);
  Channel channel(status == ARES_SUCCESS ? opened : nullptr);
  if (channel && !servers.empty()) status = ares_set_servers_ports_csv(channel.get(), servers.c_str());
  if (status != ARES_SUCCESS) {
    return Error::unavailable(std::string("no name server can be asked: ") + ares_strerror(status))
        .remedy("look at /etc/resolv.conf");
  }
  return std::make_unique<ReverseLookup>(std::move(channel), std::move(done));
}

ReverseLookup::ReverseLookup(Channel channel, Done done)
    : channel_(std::move(channel)), done_(std::move(done)) {}

ReverseLookup::~ReverseLookup() {
  done_ = nullptr;
  channel_.reset();
}

void ReverseLookup::begin(const std::string& address) {
  auto question = std::make_unique<Question>(Question{*this, address, AF_INET, {}, {}});
  if (::inet_pton(AF_INET, address.c_str(), question->bytes.data()) != 1) {
    question->family = AF_INET6;
    if (::inet_pton(AF_INET6, address.c_str(), question->bytes.data()) != 1) return done_(address, "");
  }
  ++under_way_;
  const auto& asked = *question;
  ares_gethostbyaddr(channel_.get(), asked.bytes.data(), asked.size(), asked.family, take_name,
                     question.release());
}

void ReverseLookup::take_name(void* argument, int status, int /*timeouts*/, hostent* answer) {
  std::unique_ptr<Question> question(static_cast<Question*>(argument));
  auto& owner = question->owner;
  if (status != ARES_SUCCESS || answer == nullptr || answer->h_name == nullptr) {
    return owner.finish(*question, "");
  }
  question->name = answer->h_name;
  if (question->name.ends_with('.')) question->name.pop_back();
  if (!is_plain_name(question->name)) return owner.finish(*question, "");
  const auto& asked = *question;
  ares_gethostbyname(owner.channel_.get(), asked.name.c_str(), asked.family, take_addresses,
                     question.release());
}

void ReverseLookup::take_addresses(void* argument, int status, int /*timeouts*/, hostent* answer) {
  const std::unique_ptr<Question> question(static_cast<Question*>(argument));
  const bool leads_back = status == ARES_SUCCESS && answer != nullptr && question->is_among(*answer);
  question->owner.finish(*question, leads_back ? question->name : "");
}

void ReverseLookup::finish(const Question& question, const std::string& name) {
  --under_way_;
  if (done_) done_(question.address, name);
}

void ReverseLookup::wait(int wake) {
  std::array<ares_socket_t, ARES_GETSOCK_MAXNUM> sockets{};
  const auto wanted =
      static_cast<unsigned>(ares_getsock(channel_.get(), sockets.data(), static_cast<int>(sockets.size())));
  std::vector<pollfd> files{{wake, POLLIN, 0}};
  for (unsigned i = 0; i < sockets.size(); ++i) {
    const bool reads = ARES_GETSOCK_READABLE(wanted, i) != 0;
    const bool writes = ARES_GETSOCK_WRITABLE(wanted, i) != 0;
    if (!reads && !writes) continue;
    const auto events = static_cast<short>((reads ? POLLIN : 0) | (writes ? POLLOUT : 0));
    files.push_back({sockets[i], events, 0});
  }
  timeval left{};
  const auto* limit = ares_timeout(channel_.get(), nullptr, &left);
  const auto milliseconds =
      limit == nullptr ? -1 : static_cast<int>(limit->tv_sec * 1'000 + limit->tv_usec / 1'000 + 1);
  ::poll(files.data(), files.size(), milliseconds);
  for (std::size_t i = 1; i < files.size(); ++i) {
    const bool reads = (files[i].revents & (POLLIN | POLLERR | POLLHUP)) != 0;
    const bool writes = (files[i].revents & POLLOUT) != 0;
    ares_process_fd(channel_.get(), reads ? files[i].fd : ARES_SOCKET_BAD,
                    writes ? files[i].fd : ARES_SOCKET_BAD);
  }
  ares_process_fd(channel_.get(), ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

}  // namespace zkv::gateway::http
