// What Azure Key Vault means when it refuses, and what helps.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "gateway/vault/azure.h"
#include "net/http_client.h"

namespace zkv::gateway {

/// What was asked of the vault; each wants a permission of its own.
enum class AzureAction { kRecover, kDeposit, kDelete, kPurge };

/// The reason of a 409 that no waiting ends: a deleted secret holds the name.
inline constexpr std::string_view kDeletedButRecoverable = "ObjectIsDeletedButRecoverable";

/// The most precise code that an answer gives for its refusal; empty when it gives none.
std::string reason_of(const net::HttpResponse& response);

/// The error for an answer other than the one that `action` hopes for. `secret` is what its message begins
/// with.
Error refusal_of(AzureAction action, const std::string& secret, const AzureOptions& options,
                 const net::HttpResponse& response);

/// A version of `secret` that is not enabled.
Error disabled(const std::string& secret);

}  // namespace zkv::gateway
