// Which options make which vault.
#include "gateway/vault/registry.h"

#include <utility>

namespace zkv::gateway {

namespace {

Result<std::unique_ptr<Vault>> make(EmbeddedOptions options) {
  return EmbeddedVault::open(std::move(options));
}
Result<std::unique_ptr<Vault>> make(AzureOptions options) { return make_azure_vault(std::move(options)); }

}  // namespace

Result<std::unique_ptr<Vault>> make_vault(VaultOptions options) {
  return std::visit([](auto&& kind) { return make(std::forward<decltype(kind)>(kind)); }, std::move(options));
}

}  // namespace zkv::gateway
