// Comparing names as libcurl reads them.
#include "gateway/channel/push_hosts.h"

#include <fmt/core.h>

#include <algorithm>
#include <string_view>

namespace zkv::gateway {

namespace {

constexpr std::string_view kAllBelow = "*.";
constexpr std::string_view kEndOfScheme = "://";

bool is_usual(const net::Address& address) { return address.is_secure() && address.port == "443"; }

bool allows(const std::string& allowed, const net::Address& address) {
  if (allowed.find(kEndOfScheme) != std::string::npos) {
    return allowed == origin_of(address) && (address.is_secure() || address.is_loopback());
  }
  if (!is_usual(address)) return false;
  if (!allowed.starts_with(kAllBelow)) return allowed == address.host;
  const auto end = std::string_view(allowed).substr(1);
  return address.host.size() > end.size() && address.host.ends_with(end);
}

bool has_user(const net::Address& address) {
  const auto begin = address.url.find(kEndOfScheme) + kEndOfScheme.size();
  return address.url.substr(begin, address.url.find_first_of("/?#", begin) - begin).find('@') !=
         std::string::npos;
}

}  // namespace

std::string origin_of(const net::Address& address) {
  const bool is_ipv6 = address.host.find(':') != std::string::npos;
  const bool is_implied = address.port == (address.is_secure() ? "443" : "80");
  return fmt::format("{}://{}{}", address.scheme, is_ipv6 ? "[" + address.host + "]" : address.host,
                     is_implied ? "" : ":" + address.port);
}

Result<net::Address> PushHosts::check(const std::string& endpoint) const {
  ZKV_TRY(auto address, net::parse_address(endpoint));
  if (has_user(address)) return Error::invalid("a push service's address has no user name");
  const bool is_allowed =
      std::ranges::any_of(allowed_, [&](const auto& allowed) { return allows(allowed, address); });
  if (is_allowed) return address;
  return Error::denied(fmt::format("{} is no push service that this gateway sends to", origin_of(address)))
      .remedy("use another browser, or have push-hosts name it")
      .named("push-host");
}

}  // namespace zkv::gateway
