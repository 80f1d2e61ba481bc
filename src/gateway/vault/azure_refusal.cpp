// From a status and a code to words and a remedy.
#include "gateway/vault/azure_refusal.h"

#include <fmt/core.h>

#include "gateway/vault/secret_json.h"

namespace zkv::gateway {

namespace {

struct ActionWords {
  const char* may_not_be;
  const char* was_not;
  const char* role;
  const char* permission;
};

/// Source: Azure Key Vault REST API (the permission that each operation names); Azure built-in roles.
ActionWords words_of(AzureAction action) {
  switch (action) {
    case AzureAction::kDeposit:
      return {"stored", "stored", "Key Vault Secrets Officer", "Set"};
    case AzureAction::kDelete:
      return {"deleted", "deleted", "Key Vault Secrets Officer", "Delete"};
    case AzureAction::kPurge:
      return {"purged", "purged", "Key Vault Secrets Officer", "Purge"};
    case AzureAction::kRecover:
      break;
  }
  return {"read", "given", "Key Vault Secrets User", "Get"};
}

Error forbidden(AzureAction action, const std::string& secret, const AzureOptions& options,
                const net::HttpResponse& response) {
  const std::string reason = reason_of(response);
  const ActionWords words = words_of(action);
  if (reason == "SecretDisabled") return disabled(secret);
  if (reason == "ForbiddenByFirewall") {
    return Error::denied(fmt::format("{} is not {} to this address", secret,
                                     action == AzureAction::kRecover ? "given" : "open"))
        .remedy("let this gateway's address through the vault's firewall");
  }
  return Error::denied(fmt::format("{} may not be {} by the application {}", secret, words.may_not_be,
                                   options.client_id))
      .remedy(fmt::format("give it the role '{}', or the access policy {} on secrets", words.role,
                          words.permission));
}

const char* remedy_for(long status) {
  if (status == 429) return "the vault is asked too often: try again later";
  if (status == 409) return "the vault is still at work on this name: try again in some minutes";
  return "try again; look at Azure's status if it stays so";
}

}  // namespace

std::string reason_of(const net::HttpResponse& response) {
  const auto json = SecretJson::parse(response.body.span());
  if (!json) return "";
  const auto inner = json->text("/error/innererror/code");
  return std::string(inner.value_or(json->text("/error/code").value_or("")).substr(0, 64));
}

Error disabled(const std::string& secret) {
  return Error::denied(secret + " is disabled").remedy("enable its current version, or add a new one");
}

Error refusal_of(AzureAction action, const std::string& secret, const AzureOptions& options,
                 const net::HttpResponse& response) {
  if (response.status == 401) {
    return Error::denied(fmt::format("{} does not accept the token", options.vault_uri))
        .remedy("check that AAD_TENANT_ID is the vault's tenant, and AAD_RESOURCE");
  }
  if (response.status == 403) return forbidden(action, secret, options, response);
  if (response.status == 404 && action == AzureAction::kRecover) {
    return Error::not_found(secret + " does not exist")
        .remedy("create it, or set KEY_VAULT_SECRET to the right name");
  }
  const std::string reason = reason_of(response);
  if (response.status == 409 && reason == kDeletedButRecoverable) {
    return Error::exists(secret + " is deleted, but holds its name until it is purged")
        .remedy("purge it, or use another name");
  }
  return Error::unavailable(fmt::format("{} was not {}: status {} {}", secret, words_of(action).was_not,
                                        response.status, reason))
      .remedy(remedy_for(response.status));
}

}  // namespace zkv::gateway
