// The values of what concerns Web Push.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "gateway/settings/values.h"

namespace zkv::gateway {

namespace {

constexpr std::string_view kMailto = "mailto:";

bool is_host_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
}

/// "push.example" or "*.push.example"; at least one dot, so that "*.com" is none.
bool is_host_pattern(std::string_view text) {
  const bool is_wide = text.starts_with("*.");
  if (is_wide) text.remove_prefix(2);
  return text.find('.') != std::string_view::npos && !text.starts_with('.') && !text.ends_with('.') &&
         std::ranges::all_of(text, is_host_letter);
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

Result<std::string> parse_push_host(const std::string& text) {
  if (is_host_pattern(text)) return text;
  if (text.find("://") == std::string::npos) {
    return Error::invalid(fmt::format("'{}' is no host", text))
        .remedy("write push.example, *.push.example or https://push.example:8443");
  }
  ZKV_TRY(auto origin, parse_outside_url(text));
  if (origin.find('/', origin.find("://") + 3) == std::string::npos) return origin;
  return Error::invalid(fmt::format("'{}' has a path", text)).remedy("leave it out");
}

}  // namespace

Result<std::string> parse_push_subject(std::string_view text) {
  const bool is_one_word = std::ranges::none_of(text, [](char c) { return c <= ' ' || c > '~'; });
  const auto at = text.find('@');
  const bool is_mail = text.starts_with(kMailto) && at != std::string_view::npos && at > kMailto.size() &&
                       at + 1 < text.size();
  if (is_one_word && is_mail) return std::string(text);
  if (is_one_word && text.starts_with("https://")) return parse_outside_url(text);
  return Error::invalid(fmt::format("'{}' is neither mailto:NAME@HOST nor an https address", text));
}

Result<std::vector<std::string>> parse_push_hosts(std::string_view text) {
  std::vector<std::string> hosts;
  while (!text.empty()) {
    const auto end = std::min(text.find_first_of(", "), text.size());
    if (end > 0) {
      ZKV_TRY(auto host, parse_push_host(lower_case(text.substr(0, end))));
      hosts.push_back(std::move(host));
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return hosts;
}

}  // namespace zkv::gateway
