// The kinds of vault there are: one line for each.
#pragma once

#include <memory>
#include <variant>

#include "gateway/vault/azure.h"
#include "gateway/vault/embedded.h"
#include "gateway/vault/vault.h"

namespace zkv::gateway {

using VaultOptions = std::variant<EmbeddedOptions, AzureOptions>;

/// Errors: as the chosen kind's own maker.
Result<std::unique_ptr<Vault>> make_vault(VaultOptions options);

}  // namespace zkv::gateway
