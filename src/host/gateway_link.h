// One gateway spoken to in version 2 (docs/protocol-v2.md): signed messages out, answers and problems in.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "base/result.h"
#include "host/gateway_client.h"
#include "protocol/envelope.h"
#include "protocol/messages.h"

namespace zkv::host {

/// An answer of the gateway, whatever its status.
struct GatewayAnswer {
  long status = 0;
  std::string problem;  ///< the last part of a problem's type, as in "unknown-host"
  std::string detail;   ///< a problem's words, made fit for a line of text
  std::string body;
  std::optional<std::chrono::milliseconds> retry_after;
  std::optional<Time> certificate_ends;  ///< as in net::HttpResponse
};

class GatewayLink {
 public:
  /// `exchange` outlives this. `on_obstacle` hears what each failed exchange met; it may be empty.
  GatewayLink(std::string address, const protocol::KeyId& gateway, const Exchange& exchange,
              std::function<void(net::Obstacle)> on_obstacle = {})
      : address_(std::move(address)),
        gateway_(gateway),
        exchange_(exchange),
        on_obstacle_(std::move(on_obstacle)) {}

  /// What the gateway says of itself, checked against the pin. Errors: kRefused (it has another identity than
  /// was pinned, or the statement is forged), kUnavailable, kInterrupted.
  [[nodiscard]] Result<protocol::GatewayStatement> statement(std::chrono::milliseconds limit,
                                                             const std::stop_token& stop) const;
  /// Errors: those of the exchange alone.
  [[nodiscard]] Result<GatewayAnswer> post(const std::string& path, const std::string& body,
                                           std::chrono::milliseconds limit,
                                           const std::stop_token& stop) const;
  [[nodiscard]] Result<GatewayAnswer> get(const std::string& path, std::chrono::milliseconds limit,
                                          const std::stop_token& stop) const;

 private:
  [[nodiscard]] Result<GatewayAnswer> send(net::HttpRequest request, const std::stop_token& stop) const;

  std::string address_;
  protocol::KeyId gateway_;
  const Exchange& exchange_;
  std::function<void(net::Obstacle)> on_obstacle_;
};

}  // namespace zkv::host
