// Values are read strictly: what is not understood in full is an error that shows what would be.
#include "gateway/settings/values.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <charconv>

namespace zkv::gateway {

namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

struct UrlParts {
  std::string scheme;
  std::string host;  ///< without brackets
  bool has_query = false;
};

bool is_host_name(std::string_view host) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyz0123456789.-_";
  return !host.empty() && host.find_first_not_of(kAllowed) == std::string_view::npos;
}

/// As browsers write a port: without zeros before it.
bool is_nothing_or_port(std::string_view text) {
  if (text.empty()) return true;
  return text.starts_with(':') && !text.starts_with(":0") && parse_number(text.substr(1), 1, 65'535);
}

/// Enough of RFC 3986 to know whom an address means; libcurl reads it in full later.
Result<UrlParts> split_url(std::string_view text) {
  const auto colon = text.find("://");
  if (colon == std::string_view::npos) {
    return Error::invalid(fmt::format("'{}' is not an address such as https://gateway.example", text));
  }
  std::string_view rest = text.substr(colon + 3);
  std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
  if (authority.find('@') != std::string_view::npos) {
    return Error::invalid("an address must not hold a user name or password");
  }
  const bool bracketed = authority.starts_with('[');
  const auto end = std::min(bracketed ? authority.find(']') : authority.find(':'), authority.size());
  UrlParts parts{lower(text.substr(0, colon)),
                 lower(authority.substr(bracketed ? 1 : 0, end - (bracketed ? 1 : 0))),
                 rest.find_first_of("?#") != std::string_view::npos};
  const bool names_host = bracketed
                              ? authority.find(']') != std::string_view::npos && parse_address(parts.host)
                              : is_host_name(parts.host);
  if (!names_host || text.find_first_of(" \t\r\n") != std::string_view::npos) {
    return Error::invalid(fmt::format("'{}' names no host", text));
  }
  if (!is_nothing_or_port(authority.substr(std::min(end + (bracketed ? 1 : 0), authority.size())))) {
    return Error::invalid(fmt::format("'{}' has something else than a port after its host", text));
  }
  return parts;
}

bool is_loopback_name(const std::string& host) {
  const auto address = parse_address(host);
  return host == "localhost" || (address && is_loopback(*address));
}

std::string without_slash(std::string_view text) {
  while (text.ends_with('/')) text.remove_suffix(1);
  return std::string(text);
}

}  // namespace

Result<unsigned> parse_number(std::string_view text, unsigned least, unsigned most) {
  unsigned number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < least || number > most) {
    return Error::invalid(fmt::format("'{}' is not a whole number from {} to {}", text, least, most));
  }
  return number;
}

Result<bool> parse_switch(std::string_view text) {
  const std::string word = lower(text);
  if (word == "true" || word == "yes" || word == "on" || word == "1") return true;
  if (word == "false" || word == "no" || word == "off" || word == "0") return false;
  return Error::invalid(fmt::format("'{}' is neither true nor false", text));
}

Result<ListenAddress> parse_listen(std::string_view text) {
  const auto colon = text.rfind(':');
  const auto wrong = [&] {
    return Error::invalid(fmt::format("'{}' is not an address to listen on", text))
        .remedy("write it as 127.0.0.1:8443 or [::1]:8443");
  };
  if (colon == std::string_view::npos) return wrong();
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const auto address = parse_address(host == "localhost" ? "127.0.0.1" : host);
  const auto port = parse_number(text.substr(colon + 1), 0, 65'535);
  if (!address || !port) return wrong();
  return ListenAddress{*address, static_cast<std::uint16_t>(*port)};
}

Result<std::vector<Network>> parse_networks(std::string_view text) {
  std::vector<Network> networks;
  while (!text.empty()) {
    const auto end = std::min(text.find_first_of(", "), text.size());
    if (end > 0) {
      ZKV_TRY(auto network, Network::parse(text.substr(0, end)));
      networks.push_back(network);
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return networks;
}

Result<std::vector<Network>> parse_proxies(std::string_view text) {
  ZKV_TRY(auto networks, parse_networks(text));
  if (std::ranges::none_of(networks, &Network::is_about_everybody)) return networks;
  return Error::invalid(fmt::format("'{}' lets about everybody say from where they call", text))
      .remedy("name the proxies alone, as 127.0.0.1/32");
}

Result<std::string> parse_outside_url(std::string_view text) {
  ZKV_TRY(const auto parts, split_url(text));
  if (parts.has_query) return Error::invalid(fmt::format("'{}' must not have a query", text));
  if (parts.scheme == "https" || (parts.scheme == "http" && is_loopback_name(parts.host))) {
    return without_slash(text);
  }
  return Error::invalid(fmt::format("'{}' would send secrets unprotected", text))
      .remedy("use https; plain http is possible to this machine itself only");
}

Result<std::string> parse_public_url(std::string_view text) {
  ZKV_TRY(const auto parts, split_url(text));
  if (parts.scheme != "https" && parts.scheme != "http") {
    return Error::invalid(fmt::format("'{}' is neither an https nor an http address", text));
  }
  if (parts.has_query) return Error::invalid(fmt::format("'{}' must not have a query", text));
  const auto plain = without_slash(text);
  if (plain.find('/', plain.find("://") + 3) != std::string::npos) {
    return Error::invalid(fmt::format("'{}' has a path, and this gateway is served at none", text))
        .remedy("give the gateway a name of its own, as https://gateway.example");
  }
  return plain;
}

Result<std::filesystem::path> parse_database_uri(std::string_view text) {
  constexpr std::string_view kScheme = "sqlite:///";
  if (!text.starts_with("sqlite:")) {
    return Error::unsupported(fmt::format("'{}' is not an SQLite database", text.substr(0, text.find(':'))))
        .remedy("use sqlite:////absolute/path; other databases are not supported");
  }
  if (!text.starts_with(kScheme) || !text.substr(kScheme.size()).starts_with('/')) {
    return Error::invalid(fmt::format("'{}' does not name an absolute path", text))
        .remedy("write four slashes: sqlite:////var/lib/zkvgateway/gateway.db");
  }
  return std::filesystem::path(text.substr(kScheme.size()));
}

Result<std::string> parse_phone_number(std::string_view text) {
  const bool digits = text.size() > 1 &&
                      std::all_of(text.begin() + 1, text.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!text.starts_with('+') || !digits || text.size() < 8 || text.size() > 16) {
    return Error::invalid(fmt::format("'{}' is not a telephone number such as +15551234567", text));
  }
  return std::string(text);
}

Result<std::vector<std::string>> parse_groups(std::string_view text) {
  constexpr std::string_view kAllowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
  std::vector<std::string> groups;
  while (!text.empty()) {
    const auto end = std::min(text.find_first_of(", "), text.size());
    const auto group = text.substr(0, end);
    if (group.find_first_not_of(kAllowed) != std::string_view::npos) {
      return Error::invalid(fmt::format("'{}' is no name of a group", group))
          .remedy("write names as 'zkvgateway host list' shows them, with commas between them");
    }
    if (!group.empty()) groups.emplace_back(group);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return groups;
}

Result<std::string> parse_choice(std::string_view text, std::vector<std::string_view> choices) {
  if (std::find(choices.begin(), choices.end(), text) != choices.end()) return std::string(text);
  return Error::invalid(fmt::format("'{}' is none of {}", text, fmt::join(choices, ", ")));
}

}  // namespace zkv::gateway
