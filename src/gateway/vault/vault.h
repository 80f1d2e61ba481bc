// Where the gateway's shares rest: one interface, one file for each kind of vault.
#pragma once

#include <memory>
#include <stop_token>
#include <string>

#include "base/result.h"
#include "base/secret_bytes.h"

namespace zkv::gateway {

/// Used from several threads at once; calls block and end soon after `stop` is requested.
class Vault {
 public:
  Vault() = default;
  Vault(const Vault&) = delete;
  Vault& operator=(const Vault&) = delete;
  virtual ~Vault() = default;

  /// For logs and `config check`: the kind, and where it is.
  [[nodiscard]] virtual std::string description() const = 0;
  /// The current value of the secret `name`, as it was stored.
  /// Errors: kNotFound, kDenied (no permission, disabled, not yet valid or expired), kUnavailable,
  /// kInterrupted.
  virtual Result<SecretBytes> recover(const std::string& name, const std::stop_token& stop) = 0;
};

}  // namespace zkv::gateway
