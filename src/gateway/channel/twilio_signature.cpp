// Twilio's signature over address and form, tried with the forms that the address may have on Twilio's side.
#include "gateway/channel/twilio_signature.h"

#include <algorithm>
#include <array>

#include "base/encoding.h"
#include "base/secret_bytes.h"
#include "crypto/hash.h"

namespace zkv::gateway {

namespace {

/// An address cut around its port, so that it can be put together with and without one.
struct CutUrl {
  std::string_view before;  ///< scheme, user and host
  std::string_view port;    ///< with its colon; empty when there is none
  std::string_view after;   ///< path, query, fragment
};

CutUrl cut(std::string_view url) {
  const std::size_t scheme = url.find("://");
  const std::size_t authority = scheme == std::string_view::npos ? 0 : scheme + 3;
  const std::size_t end = std::min(url.find_first_of("/?#", authority), url.size());
  const std::string_view head = url.substr(0, end);
  const std::size_t digits = head.find_last_not_of("0123456789");
  const bool has_port = digits != std::string_view::npos && digits >= authority && head[digits] == ':';
  const std::size_t port = has_port ? digits : end;
  return {url.substr(0, port), url.substr(port, end - port), url.substr(end)};
}

std::string_view implied_port(std::string_view url) { return url.starts_with("https:") ? ":443" : ":80"; }

/// Each field once, sorted by name and then by value, nothing in between.
std::string signed_fields(FormFields fields) {
  std::sort(fields.begin(), fields.end());
  fields.erase(std::unique(fields.begin(), fields.end()), fields.end());
  std::string text;
  for (const auto& [name, value] : fields) text += name + value;
  return text;
}

/// Fields whose names go on after "From". Source: Twilio, "Twilio's Request to your Webhook URL".
constexpr std::array<std::string_view, 4> kAfterFrom{"City", "Country", "State", "Zip"};

}  // namespace

bool twilio_signature_is_valid(std::span<const std::uint8_t> token, std::string_view url,
                               const FormFields& fields, std::string_view signature) {
  const auto given = from_base64(signature, Base64::kStandard);
  if (!given || token.empty()) return false;
  const std::string form = signed_fields(fields);
  const CutUrl parts = cut(url);
  const auto matches = [&](std::string_view port) {
    const std::string text = std::string(parts.before).append(port).append(parts.after).append(form);
    return equal_in_constant_time(crypto::hmac_sha1(token, bytes_of(text)), *given);
  };
  const std::array<std::string_view, 3> ports = {parts.port, "", implied_port(url)};
  return std::any_of(ports.begin(), ports.end(), matches);
}

std::string message_of_signature(std::string_view signature) {
  const auto bytes = from_base64(signature, Base64::kStandard);
  return bytes ? to_base64(*bytes, Base64::kStandard) : std::string();
}

bool may_be_cut_elsewhere(const FormFields& fields) {
  constexpr std::string_view kFrom = "From";
  const std::string text = signed_fields(fields);
  unsigned senders = 0;
  for (auto at = text.find(kFrom); at != std::string::npos; at = text.find(kFrom, at + 1)) {
    const auto rest = std::string_view(text).substr(at + kFrom.size());
    const bool is_another =
        std::ranges::any_of(kAfterFrom, [&](std::string_view word) { return rest.starts_with(word); });
    if (!is_another) ++senders;
  }
  return senders > 1;
}

}  // namespace zkv::gateway
