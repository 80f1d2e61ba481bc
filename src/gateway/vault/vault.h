// Where the gateway's shares rest: one interface, one file for each kind of vault.
#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "base/result.h"
#include "base/secret_bytes.h"
#include "base/time.h"

namespace zkv::gateway {

/// What is known of a secret beside its value.
struct SecretFacts {
  std::optional<Time> expires = std::nullopt;  ///< when recover() will no longer give it
};

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
  /// Whether recover() would give the secret `name` now. The value is read where the vault tells nothing
  /// without it, and dropped. Errors: as recover.
  virtual Result<SecretFacts> look(const std::string& name, const std::stop_token& stop) {
    ZKV_CHECK(recover(name, stop));
    return SecretFacts{};
  }
  /// Stores `value` (as check_secret_value wants it) as the secret `name`. Over an older value of that name,
  /// which the vault may keep as an older version until destroy().
  /// Errors: kInvalid (the name or the value), kExists (a deleted secret that is not purged holds the name),
  /// kDenied (no permission), kUnavailable and kInterrupted (it may have been stored all the same; storing it
  /// again does no harm).
  virtual Result<> deposit(const std::string& name, const SecretBytes& value,
                           const std::stop_token& stop) = 0;
  /// Ends the secret `name` with all its versions, so that nobody can recover it from this vault; success too
  /// when there is none. After an error it may be called again, and goes on from where it stopped.
  /// Errors: kInvalid (the name), kDenied (no permission; the message says whether it is deleted already),
  /// kUnavailable, kInterrupted, and kUnsupported: it is deleted, recover() no longer gives it, but the vault
  /// keeps it recoverable until a date that the message names. That is an error, so that nobody who counts on
  /// "gone" overlooks it, and of a kind of its own, because neither a permission nor another try helps.
  virtual Result<> destroy(const std::string& name, const std::stop_token& stop) = 0;
};

}  // namespace zkv::gateway
