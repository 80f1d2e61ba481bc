// Addresses by inet_pton; networks as a prefix of bits.
#include "gateway/settings/network.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace zkv::gateway {

namespace {

constexpr std::array<std::uint8_t, 12> kMappedPrefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool is_ipv4(const AddressBytes& address) {
  return std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), address.begin());
}

AddressBytes masked(AddressBytes address, unsigned bits) {
  for (unsigned i = 0; i < address.size(); ++i) {
    const unsigned kept = bits > 8 * i ? std::min(bits - 8 * i, 8U) : 0U;
    address.at(i) = static_cast<std::uint8_t>(address.at(i) & (0xff00U >> kept));
  }
  return address;
}

std::optional<unsigned> parse_bits(std::string_view text, unsigned most) {
  unsigned bits = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bits);
  if (error != std::errc() || end != text.data() + text.size() || bits > most) return std::nullopt;
  return bits;
}

}  // namespace

std::optional<AddressBytes> parse_address(std::string_view text) {
  if (text.find('\0') != std::string_view::npos) return std::nullopt;
  const std::string terminated(text);
  AddressBytes address{};
  if (::inet_pton(AF_INET6, terminated.c_str(), address.data()) == 1) return address;
  std::copy(kMappedPrefix.begin(), kMappedPrefix.end(), address.begin());
  if (::inet_pton(AF_INET, terminated.c_str(), address.data() + kMappedPrefix.size()) == 1) return address;
  return std::nullopt;
}

std::string to_text(const AddressBytes& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const bool ipv4 = is_ipv4(address);
  const auto* bytes = ipv4 ? address.data() + kMappedPrefix.size() : address.data();
  ::inet_ntop(ipv4 ? AF_INET : AF_INET6, bytes, text.data(), text.size());
  return text.data();
}

bool is_loopback(const AddressBytes& address) {
  static constexpr AddressBytes kIpv6{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  return is_ipv4(address) ? address[12] == 127 : address == kIpv6;
}

Result<Network> Network::parse(std::string_view text) {
  const auto slash = text.find('/');
  const auto first = parse_address(text.substr(0, slash));
  const std::string named = "'" + std::string(text) + "' ";
  if (!first) return Error::invalid(named + "is not a network such as 192.0.2.0/24 or 2001:db8::/32");
  unsigned bits = 128;
  if (slash != std::string_view::npos) {
    const bool ipv4 = is_ipv4(*first) && text.find(':') == std::string_view::npos;
    const auto given = parse_bits(text.substr(slash + 1), ipv4 ? 32 : 128);
    if (!given) return Error::invalid(named + "has a wrong number of bits after the slash");
    bits = *given + (ipv4 ? 96U : 0U);
  }
  if (masked(*first, bits) != *first) {
    return Error::invalid(named + "has bits beyond its prefix")
        .remedy("write " + to_text(masked(*first, bits)) + std::string(text.substr(slash)));
  }
  return Network(*first, bits);
}

bool Network::contains(const AddressBytes& address) const { return masked(address, bits_) == first_; }

bool Network::is_about_everybody() const {
  constexpr unsigned kIpv4Bits = 96 + 8;
  constexpr unsigned kIpv6Bits = 7;
  return bits_ < (is_ipv4(first_) ? kIpv4Bits : kIpv6Bits);
}

bool contains(std::span<const Network> networks, const AddressBytes& address) {
  return std::any_of(networks.begin(), networks.end(),
                     [&](const Network& network) { return network.contains(address); });
}

}  // namespace zkv::gateway
