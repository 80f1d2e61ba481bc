// Trying an exchange again while the far side is busy or out of order, within a bound, waiting on the stop
// token.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <stop_token>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "net/http_client.h"

namespace zkv::net {

/// How the passing of time reaches whoever tries again, so that a test brings its own.
struct Clock {
  std::function<Time()> now;
  /// Waits that long; ends early with kInterrupted when `stop` is requested.
  std::function<Result<>(std::chrono::milliseconds, const std::stop_token&)> wait;

  static Clock system();
};

struct Patience {
  unsigned attempts = 6;  ///< in all
  Time deadline = {};     ///< no wait goes beyond it, and no exchange lasts beyond it
};

/// Sends until the answer is neither 408, 429 nor 5xx, or patience ends: then the last answer is returned as
/// it is. Waits as Retry-After says (seconds or a date), else 1, 2, 4, 8, 16 s. Exchanges that failed
/// (kUnavailable) are tried again too. Errors: those of HttpClient::send.
Result<HttpResponse> send_patiently(const HttpClient& client, HttpRequest& request, const Patience& patience,
                                    const Clock& clock, const std::stop_token& stop);

/// The wait that a Retry-After header asks for; none when it is not one. Source: RFC 9110 §10.2.3.
std::optional<std::chrono::milliseconds> parse_retry_after(std::string_view value, Time now);

}  // namespace zkv::net
