// Asking one gateway until it decides, through whatever the network does meanwhile.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "base/result.h"
#include "base/secret_bytes.h"
#include "host/backoff.h"
#include "host/deadline.h"
#include "net/http_client.h"

namespace zkv::host {

/// One HTTP exchange; HttpClient::send in earnest.
using Exchange =
    std::function<Result<net::HttpResponse>(const net::HttpRequest& request, const std::stop_token& stop)>;

struct AskOptions {
  Deadline deadline;      ///< none: asks until it is answered or stopped
  bool ask_once = false;  ///< no second try, whatever happens
  BackoffOptions backoff;
  std::function<void(const std::string&)> say;  ///< a line for a person, once for each change; may be empty
  Wait wait = host::wait;                       ///< how pauses pass; a test brings its own
};

/// The address to ask: as given, or with /request-keys where it has no path. Errors: kInvalid (no http
/// address).
Result<std::string> request_address(const std::string& given);

/// A token that lets the gateway know its own pending request again: 43 characters. Made once for each run.
SecretBytes make_token();

/// Asks `address` until there is a key. Between tries it waits as try_until_answered() says.
/// Errors: kDenied (a person said no), kPending (nobody decided in time), kUnavailable (not reached, or it
/// failed, until the deadline), kCorrupt (the answer is no key), kInvalid (address, plain http),
/// kInterrupted.
Result<SecretBytes> ask_gateway(const std::string& address, const SecretBytes& token,
                                const AskOptions& options, const Exchange& exchange,
                                const std::stop_token& stop);

}  // namespace zkv::host
