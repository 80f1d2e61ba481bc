// Taking one secret out of Azure Key Vault for good: delete, wait until that is done, purge.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "gateway/vault/azure.h"
#include "gateway/vault/azure_client.h"
#include "gateway/vault/azure_refusal.h"

namespace zkv::gateway {

/// One run for one secret. What an earlier run left half done is taken up.
/// Source: Azure Key Vault REST API, "Delete Secret", "Get Deleted Secret", "Purge Deleted Secret"; the
/// waiting as DeleteSecretPoller of @azure/keyvault-secrets does.
class AzureDeletion {
 public:
  /// `client` and `options` outlive this; `secret` is what messages call it.
  AzureDeletion(AzureClient& client, const AzureOptions& options, std::string name, std::string secret,
                AzureTerm term);

  /// Errors: see Vault::destroy.
  Result<> run();

 private:
  /// What is known of the secret among the deleted ones.
  struct Deleted {
    bool is_protected = false;                   ///< nobody but Azure may purge it
    std::optional<std::int64_t> purged_at = {};  ///< seconds since 1970
  };

  Result<> remove();
  /// Whether it came to lie among the deleted ones; false when there is no such secret at all.
  Result<bool> await_deleted();
  Result<> purge();
  /// What a vault with purge protection does to a deleted secret.
  [[nodiscard]] Error kept() const;
  [[nodiscard]] Result<Deleted> read(const net::HttpResponse& response) const;
  [[nodiscard]] Error refusal(AzureAction action, const net::HttpResponse& response) const;
  [[nodiscard]] std::string subject() const;

  AzureClient& client_;
  const AzureOptions& options_;
  std::string name_;
  std::string secret_;
  AzureTerm term_;
  std::optional<Deleted> deleted_;  ///< once it is known that the secret is deleted
};

}  // namespace zkv::gateway
