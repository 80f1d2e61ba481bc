// The setting was checked when it was read; here it becomes what browsers make of it.
#include "gateway/http/public_address.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace zkv::gateway::http {

namespace {

constexpr std::string_view kLocalhost = "localhost";

Error unusable(const std::string& why) {
  return Error::unavailable(why)
      .remedy("set public-url to the https address by which people open the page, as https://gateway.example")
      .named("public-url");
}

std::string in_lower_case(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

/// Source: WebAuthn Level 3, §5.1.3, step 8: the RP id is a domain; RFC 6454: a default port is not named.
Result<passkey::RelyingParty> party_of_url(std::string_view url) {
  const auto mark = url.find("://");
  const auto scheme = in_lower_case(url.substr(0, mark));
  const auto rest = url.substr(mark + 3);
  const auto authority = in_lower_case(rest.substr(0, rest.find('/')));
  const auto colon = authority.rfind(':');
  const auto host = authority.substr(0, colon);
  const auto port = colon == std::string::npos ? std::string() : authority.substr(colon + 1);
  if (authority.starts_with('[') || parse_address(host)) {
    return unusable(fmt::format("passkeys cannot be bound to an IP address, as in {}", url));
  }
  if (scheme == "http" && host != kLocalhost) {
    return unusable(fmt::format("browsers have no passkeys on a page that is not https, as {}", url));
  }
  const bool is_default = port.empty() || port == (scheme == "https" ? "443" : "80");
  return passkey::RelyingParty{scheme + "://" + (is_default ? host : authority), host};
}

}  // namespace

Result<passkey::RelyingParty> relying_party(const std::string& public_url, const AddressBytes& listen,
                                            std::uint16_t port, bool tls) {
  if (!public_url.empty()) return party_of_url(public_url);
  if (!is_loopback(listen)) return unusable("this gateway does not know the address of its page");
  return party_of_url(fmt::format("{}://{}:{}", tls ? "https" : "http", kLocalhost, port));
}

}  // namespace zkv::gateway::http
