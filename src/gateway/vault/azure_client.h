// One call of Azure Key Vault's REST interface: with a token, and again while the far side is busy.
#pragma once

#include <stop_token>
#include <string>

#include "base/result.h"
#include "base/secret_bytes.h"
#include "gateway/vault/azure.h"
#include "gateway/vault/azure_token.h"
#include "net/http_client.h"
#include "net/retry.h"

namespace zkv::gateway {

/// How long a sequence of calls may last.
struct AzureTerm {
  Time deadline;
  std::stop_token stop;
};

struct AzureCall {
  std::string method = "GET";
  std::string collection = "secrets";
  std::string name;
  SecretBytes body = {};  ///< JSON
};

/// Thread-safe.
class AzureClient {
 public:
  /// `options` outlives this.
  AzureClient(const AzureOptions& options, net::Clock clock);

  /// A term of `AzureOptions::time_limit` from now on.
  [[nodiscard]] AzureTerm term(const std::stop_token& stop) const;

  /// Sends as net::send_patiently does, once more with a new token after a 401, and again after 409 while the
  /// vault is still at work on a secret of that name. Answers of any status are values.
  /// Errors: those of AzureTokens::authorization and of net::send_patiently.
  Result<net::HttpResponse> call(AzureCall call, const AzureTerm& term);

  /// Waits as long as Azure's own clients do between two looks; false when the term ends before that.
  /// Errors: kInterrupted.
  Result<bool> pause(const AzureTerm& term) const;

 private:
  Result<net::HttpResponse> send(net::HttpRequest& request, const AzureTerm& term);

  const AzureOptions& options_;
  net::Clock clock_;
  net::HttpClient client_;
  AzureTokens tokens_;
};

}  // namespace zkv::gateway
