// The gateway's doors: TCP for hosts and Twilio, a unix socket for people at the gateway.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "base/result.h"
#include "gateway/http/connection.h"
#include "gateway/http/legacy_routes.h"
#include "gateway/http/v2_routes.h"
#include "gateway/service/service.h"
#include "gateway/settings/settings.h"

namespace zkv::gateway::http {

struct ServerOptions {
  ListenAddress listen;
  std::filesystem::path tls_certificate;  ///< PEM; empty: plain http
  std::filesystem::path tls_key;
  std::filesystem::path control_socket;  ///< empty: none
  std::vector<Network> trusted_proxies;
  std::optional<LegacyOptions> legacy;  ///< without it the seed's endpoints are not there
  std::optional<V2Options> v2;          ///< without it /v2/ is not there
  unsigned threads = 0;                 ///< 0: as many as cores, at most 4
  unsigned connections = 20'000;
  unsigned connections_per_address = 256;
  Timeouts timeouts;
};

/// SIGPIPE has to be ignored in the process.
class Server {
 public:
  /// Listens and serves from now on. `service` outlives the server.
  /// Errors: kIo, kInvalid (certificate), kExists (the control socket is served by another).
  static Result<std::unique_ptr<Server>> start(ServerOptions options, Service& service);
  virtual ~Server() = default;

  /// "https://127.0.0.1:8443", with the real port.
  [[nodiscard]] virtual std::string address() const = 0;
  /// Reads the certificate again; the outcome goes to the log. It is also read when its files change.
  virtual void reload_certificate() = 0;
  /// Takes no new connections; those that are idle end, others end after their answer.
  virtual void close_down() = 0;
  /// Waits until all have ended, at most `limit`, then drops the rest.
  virtual void finish(std::chrono::milliseconds limit) = 0;
};

}  // namespace zkv::gateway::http
