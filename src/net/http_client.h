// Outgoing HTTP by libcurl (loaded at first use): one blocking exchange that a stop request ends at once.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/secret_bytes.h"
#include "base/time.h"

namespace zkv::net {

class SessionPool;

/// What stood between a request and its answer.
enum class Obstacle {
  kName,        ///< the server's name, or the proxy's, was not resolved
  kRoute,       ///< this machine has no network that leads there
  kConnection,  ///< it was not reached, or the exchange broke off
  kTrust,       ///< no TLS, or a certificate that is not trusted
};

struct HttpRequest {
  std::string method = "GET";
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;
  /// Headers whose value is a secret (Authorization); never logged.
  std::vector<std::pair<std::string, SecretBytes>> secret_headers;
  SecretBytes body;
  std::chrono::milliseconds connect_timeout{10'000};
  std::chrono::milliseconds timeout{30'000};  ///< of the whole exchange; zero: none
  std::size_t response_limit = 1U << 20U;     ///< bytes of body; a longer answer is kUnavailable
  std::function<void()> on_connected;  ///< the connection (with its TLS) stands; now the request is sent
  std::function<void(Obstacle)> on_obstacle = {};  ///< the exchange fails, with an error that says more
};

struct HttpResponse {
  long status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  ///< names in lower case
  SecretBytes body;
  /// Of the certificates that the server sent, the first to end; nothing over a connection that was kept.
  std::optional<Time> certificates_end = std::nullopt;
  /// The first header of that (lower case) name.
  [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const;
};

struct HttpOptions {
  std::string ca_file = {};  ///< PEM of further trusted roots in place of the system's; empty: the system's
  /// SHA-256 of the SubjectPublicKeyInfo that the server must have; then nobody else need vouch for it.
  std::optional<std::array<std::uint8_t, 32>> pinned_key = {};
  std::string unix_socket = {};   ///< speak over this socket whatever the address says
  bool allow_plain_http = false;  ///< otherwise http:// only to loopback (127.0.0.0/8, ::1, localhost)
  bool follow_redirects = false;  ///< never with a secret header
  std::string user_agent = "zfs-keyvault";
};

/// Sends and receives. Proxies as libcurl reads them from the environment (https_proxy, no_proxy).
/// Answers of any status are values. Errors: kInvalid (address, plain http), kUnavailable (resolving,
/// connecting, TLS, time, cut off: the message says which and, for TLS, what is wrong with the certificate),
/// kInterrupted (stopped). Thread-safe; connections are kept and used again, also by copies.
class HttpClient {
 public:
  explicit HttpClient(HttpOptions options);
  [[nodiscard]] Result<HttpResponse> send(const HttpRequest& request, const std::stop_token& stop = {}) const;

 private:
  HttpOptions options_;
  std::shared_ptr<SessionPool> sessions_;
};

}  // namespace zkv::net
