// The table of answers, row by row.
#include "host/answer.h"

#include <algorithm>
#include <cctype>
#include <string_view>

#include "net/retry.h"
#include "protocol/legacy.h"

namespace zkv::host {

namespace {

constexpr std::size_t kLongestId = 64;

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

std::string_view header(const net::HttpResponse& response, std::string_view name) {
  return response.header(lower(name)).value_or(std::string_view());
}

Error not_a_key(const std::string& what) {
  return Error::corrupt("the gateway's answer is not a key: " + what)
      .remedy("check that the address is that of a gateway, with its path");
}

/// A key is one line of text. What else answers 200, such as the login page of a network, is no key.
Answer key_in(SecretBytes body) {
  if (body.size() > protocol::kLongestKey) return Ended{not_a_key("it is too long")};
  std::size_t size = body.size();
  if (size > 0 && body.data()[size - 1] == '\n') --size;
  if (size > 0 && body.data()[size - 1] == '\r') --size;
  body.truncate(size);
  if (body.empty()) return Ended{not_a_key("it is empty")};
  const auto bytes = body.span();
  if (std::any_of(bytes.begin(), bytes.end(), [](std::uint8_t c) { return c < 0x20 || c == 0x7f; })) {
    return Ended{not_a_key("it holds line breaks or control characters")};
  }
  return KeyGiven{std::move(body)};
}

Answer refusal(std::string_view state) {
  if (state == protocol::kDeniedState) return Ended{Error::denied("the request was denied")};
  if (state == protocol::kCancelledState) {
    return Ended{Error::denied("the request was cancelled at the gateway")};
  }
  if (state == protocol::kExpiredState) {
    return Ended{Error::pending("nobody decided in time").remedy("ask again and approve sooner")};
  }
  return Ended{Error::pending("the request was not approved in time").remedy("ask again and approve sooner")};
}

std::optional<std::chrono::milliseconds> retry_after(const net::HttpResponse& response, Time now) {
  const auto value = response.header("retry-after");
  return value ? net::parse_retry_after(*value, now) : std::nullopt;
}

Error failed_with(long status) {
  const std::string code = std::to_string(status);
  if (status == 403) {
    return Error::unavailable("the gateway refuses this host's address (403)")
        .remedy("allow it in the gateway's setting legacy-allow");
  }
  if (status == 404) {
    return Error::unavailable("there is no gateway at this address (404)")
        .remedy("check the path; it usually is " + std::string(protocol::kRequestKeysPath));
  }
  if (status >= 300 && status < 400) {
    return Error::unavailable("the gateway's address has moved (" + code + ")")
        .remedy("give its final address");
  }
  return Error::unavailable("the gateway failed (" + code + ")").remedy("see the gateway's log");
}

}  // namespace

Answer meaning_of(Error error, std::optional<net::Obstacle> obstacle) {
  if (error.kind() != ErrorKind::kUnavailable) return Ended{std::move(error)};
  const bool is_without_network = obstacle == net::Obstacle::kName || obstacle == net::Obstacle::kRoute;
  return TryAgain{error.message(), std::nullopt, is_without_network};
}

Answer interpret(net::HttpResponse&& response, Time now) {
  const std::string state = lower(header(response, protocol::kRequestStateHeader));
  switch (response.status) {
    case 200:
      return key_in(std::move(response.body));
    case 401:
      return refusal(state);
    case 429:
      return TryAgain{"the gateway is asked too often", retry_after(response, now)};
    case 500:
      if (state != protocol::kFailedState) return Ended{failed_with(response.status)};
      return TryAgain{"approved, but the gateway's vault does not give the key", retry_after(response, now)};
    case 408:
    case 502:
    case 503:
    case 504:
      return TryAgain{"the gateway is not ready (" + std::to_string(response.status) + ")",
                      retry_after(response, now)};
    default:
      return Ended{failed_with(response.status)};
  }
}

bool is_request_id(std::string_view text) {
  const auto is_fit = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-';
  };
  return !text.empty() && text.size() <= kLongestId && std::ranges::all_of(text, is_fit);
}

std::string request_id(const net::HttpResponse& response) {
  const auto id = header(response, protocol::kRequestIdHeader).substr(0, kLongestId);
  return is_request_id(id) ? std::string(id) : std::string();
}

}  // namespace zkv::host
