// Reading the system's own words: uname(2), getifaddrs(3), /proc/sys/kernel/random/boot_id.
#include "host/evidence.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <sys/utsname.h>

#include <array>
#include <ctime>
#include <memory>

#include "base/file.h"
#include "crypto/random.h"

namespace zkv::host {

namespace {

constexpr std::size_t kMostAddresses = 32;
constexpr std::size_t kLongestEvidence = 100;

std::string boot_id() {
  const auto bytes = read_file("/proc/sys/kernel/random/boot_id", kLongestEvidence);
  if (!bytes) return {};
  std::string text(bytes->begin(), bytes->end());
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

std::string address_text(const sockaddr& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const void* bytes = nullptr;
  if (address.sa_family == AF_INET) bytes = &reinterpret_cast<const sockaddr_in&>(address).sin_addr;
  if (address.sa_family == AF_INET6) {
    const auto& ipv6 = reinterpret_cast<const sockaddr_in6&>(address).sin6_addr;
    if (!IN6_IS_ADDR_LINKLOCAL(&ipv6)) bytes = &ipv6;
  }
  if (bytes == nullptr || ::inet_ntop(address.sa_family, bytes, text.data(), text.size()) == nullptr)
    return {};
  return text.data();
}

std::vector<std::string> own_addresses() {
  std::vector<std::string> addresses;
  ifaddrs* first = nullptr;
  if (::getifaddrs(&first) != 0) return addresses;
  const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> list(first, ::freeifaddrs);
  for (const auto* entry = first; entry != nullptr && addresses.size() < kMostAddresses;
       entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr || (entry->ifa_flags & IFF_LOOPBACK) != 0) continue;
    auto text = address_text(*entry->ifa_addr);
    if (!text.empty()) addresses.push_back(std::move(text));
  }
  return addresses;
}

}  // namespace

protocol::Evidence gather_evidence() {
  protocol::Evidence evidence;
  evidence.boot_id = boot_id();
  utsname system{};
  if (::uname(&system) == 0) {
    evidence.kernel = std::string(system.release).substr(0, kLongestEvidence);
    evidence.hostname = system.nodename;
  }
  timespec since_boot{};
  if (::clock_gettime(CLOCK_BOOTTIME, &since_boot) == 0) {
    evidence.uptime = static_cast<std::uint64_t>(since_boot.tv_sec);
  }
  evidence.addresses = own_addresses();
  return evidence;
}

std::string make_number() {
  const auto number = crypto::random_below(100);
  return {static_cast<char>('0' + number / 10), static_cast<char>('0' + number % 10)};
}

}  // namespace zkv::host
