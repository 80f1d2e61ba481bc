// What a gateway's answer to GET /request-keys means. Pure: bytes in, meaning out.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.h"
#include "base/secret_bytes.h"
#include "base/time.h"
#include "net/http_client.h"

namespace zkv::host {

/// Approved: the repository key, without the newline after it.
struct KeyGiven {
  SecretBytes key;
};

/// This gateway will give no key, however often it is asked. Kinds: kDenied (a person said no), kPending
/// (nobody decided in time, as far as the gateway says), kUnavailable (it failed), kCorrupt (its answer is no
/// key).
struct Ended {
  Error error;
};

/// It makes sense to ask again, after `wait` when the gateway names one.
struct TryAgain {
  std::string why;
  std::optional<std::chrono::milliseconds> wait;
  bool is_without_network = false;  ///< nothing has reached the gateway: no name, or no way there
};

using Answer = std::variant<KeyGiven, Ended, TryAgain>;

/// What an exchange that failed means, and what it met, where it says: time can mend it, but no wrong address
/// or gateway, and no stop.
Answer meaning_of(Error error, std::optional<net::Obstacle> obstacle);

/// The table of docs/protocol.md. Consumes the body.
Answer interpret(net::HttpResponse&& response, Time now);

/// Whether `text` can be what people call a request by: 1 to 64 letters, digits and hyphens of ASCII.
bool is_request_id(std::string_view text);

/// The request that the answer speaks of; empty when is_request_id() says that it names none.
std::string request_id(const net::HttpResponse& response);

}  // namespace zkv::host
