// Azure Key Vault by client credentials: secrets of one vault, over its REST interface.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/result.h"
#include "base/secret_bytes.h"
#include "gateway/vault/vault.h"
#include "net/retry.h"

namespace zkv::gateway {

struct AzureOptions {
  std::string vault_uri;  ///< https://NAME.vault.azure.net
  std::string tenant_id;
  std::string client_id;
  SecretBytes client_secret;
  std::string resource = "https://vault.azure.net";
  std::string authority = "https://login.microsoftonline.com";
  std::string api_version = "7.4";
  std::string ca_file;  ///< PEM of trusted roots in place of the system's; empty: the system's
  std::chrono::seconds attempt_limit{20};  ///< of one HTTP exchange
  std::chrono::seconds time_limit{90};     ///< of one call of the vault with all its attempts and waits
};

/// The token is sent only to a host that is the resource's own or ends with "." + the resource's host, or to
/// loopback. Errors: kInvalid for an incomplete or wrong setting; the message names it.
Result<std::unique_ptr<Vault>> make_azure_vault(AzureOptions options,
                                                net::Clock clock = net::Clock::system());

}  // namespace zkv::gateway
