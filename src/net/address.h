// An http or https address taken apart once, so that what was checked is what is used.
#pragma once

#include <string>

#include "base/result.h"

namespace zkv::net {

struct Address {
  std::string url;     ///< normalised
  std::string scheme;  ///< "http" or "https"
  std::string host;    ///< lower case; numeric forms of IPv4 as dotted quad; IPv6 without brackets
  std::string port;    ///< always there, also when the scheme implies it
  /// For messages: without user name, password, query and fragment.
  [[nodiscard]] std::string shown() const;
  [[nodiscard]] bool is_secure() const { return scheme == "https"; }
  /// 127.0.0.0/8, ::1, or the name localhost itself (which libcurl resolves to nothing else).
  [[nodiscard]] bool is_loopback() const;
};

/// Errors: kInvalid, with what is wrong with it.
Result<Address> parse_address(const std::string& url);
/// The address that the Location header `location` names, seen from `base`. Errors: kInvalid.
Result<Address> resolve_reference(const Address& base, const std::string& location);

}  // namespace zkv::net
