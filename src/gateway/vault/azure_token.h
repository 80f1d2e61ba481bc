// Tokens of Microsoft's identity platform by client credentials, kept until shortly before they end.
#pragma once

#include <mutex>
#include <stop_token>
#include <string>

#include "base/result.h"
#include "base/secret_bytes.h"
#include "gateway/vault/azure.h"
#include "net/http_client.h"
#include "net/retry.h"

namespace zkv::gateway {

/// Thread-safe. Source: Microsoft identity platform, "OAuth 2.0 client credentials flow".
class AzureTokens {
 public:
  /// `options` outlives this.
  AzureTokens(const AzureOptions& options, net::HttpClient client, net::Clock clock);

  /// The value of an Authorization header. A new token is asked for when there is none, when the kept one
  /// ends within 5 minutes or a tenth of its life, whichever is less, and when it is `rejected`, the one that
  /// the vault did not take. Errors: kDenied (the credentials are refused; the message says which setting),
  /// kUnavailable, kInterrupted.
  Result<SecretBytes> authorization(const SecretBytes* rejected, Time deadline, const std::stop_token& stop);

 private:
  Result<> renew(Time deadline, const std::stop_token& stop);
  [[nodiscard]] net::HttpRequest token_request() const;

  const AzureOptions& options_;
  net::HttpClient client_;
  net::Clock clock_;
  std::mutex mutex_;
  SecretBytes authorization_;
  Time renew_at_;
};

}  // namespace zkv::gateway
