// Internet addresses and the networks they belong to, for lists of who is trusted and who may ask.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace zkv::gateway {

/// Sixteen bytes in network order; IPv4 as ::ffff:a.b.c.d, so that both families compare alike.
using AddressBytes = std::array<std::uint8_t, 16>;

/// Reads an IPv4 or IPv6 literal without port, brackets or zone.
std::optional<AddressBytes> parse_address(std::string_view text);
/// The usual form: dotted for IPv4, RFC 5952 for IPv6.
std::string to_text(const AddressBytes& address);
/// 127.0.0.0/8 or ::1.
bool is_loopback(const AddressBytes& address);

class Network {
 public:
  /// `ADDRESS/BITS`, or an address alone for exactly that one. Bits of the host part must be zero.
  /// Errors: kInvalid.
  static Result<Network> parse(std::string_view text);
  [[nodiscard]] bool contains(const AddressBytes& address) const;
  /// Whether it is larger than any network of one owner: than 10.0.0.0/8, or than fc00::/7.
  [[nodiscard]] bool is_about_everybody() const;

 private:
  Network(const AddressBytes& first, unsigned bits) : first_(first), bits_(bits) {}
  AddressBytes first_;
  unsigned bits_;  ///< of the sixteen-byte form
};

bool contains(std::span<const Network> networks, const AddressBytes& address);

}  // namespace zkv::gateway
