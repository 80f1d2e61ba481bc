// The vault without a cloud account: secrets in the gateway's own database, sealed under a master key from a
// file.
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/secret_bytes.h"
#include "gateway/store/secret_table.h"
#include "gateway/vault/vault.h"

namespace zkv::gateway {

struct EmbeddedOptions {
  std::filesystem::path database;         ///< the gateway's SQLite file
  std::filesystem::path master_key_file;  ///< 32 bytes; made on first use, mode 0600
  SecretBytes master_key;  ///< 32 bytes given otherwise (systemd credential); wins over the file
};

/// Reads the 32 bytes of `path`. Errors: kNotFound, kDenied (readable by group or others, or another user's),
/// kInvalid (not 32 bytes), kIo.
Result<SecretBytes> load_master_key(const std::filesystem::path& path);
/// Makes the file with 32 random bytes, mode 0600; one that another process made meanwhile is read instead.
/// Errors: as load_master_key.
Result<SecretBytes> make_master_key(const std::filesystem::path& path);

/// Each row is sealed by XChaCha20-Poly1305 under the master key, its name in the associated data, so that a
/// row put under another name does not open.
class EmbeddedVault : public Vault {
 public:
  /// Errors, beside those of the database and the master key: kNotFound when secrets are stored but their
  /// master key's file is gone.
  static Result<std::unique_ptr<EmbeddedVault>> open(EmbeddedOptions options);
  /// `master_key` has 32 bytes.
  EmbeddedVault(std::unique_ptr<SecretTable> table, SecretBytes master_key);

  [[nodiscard]] std::string description() const override;
  /// Errors, beside the vault's: kWrongKey when the row does not open under this master key and name.
  Result<SecretBytes> recover(const std::string& name, const std::stop_token& stop) override;
  /// As put(), for the values that every vault takes. Errors: kInvalid, and those of the database.
  Result<> deposit(const std::string& name, const SecretBytes& value, const std::stop_token& stop) override;
  /// As remove(), and success when there is none. What is left on the disk: SQLite overwrites the row's bytes
  /// with zeros (`secure_delete`, which Debian's is built with) when its write-ahead log goes into the
  /// database, at the latest when the last connection to it closes; until then the row stands in the log, and
  /// for longer in what the file system or a backup keeps of both. All of that is sealed under the master key
  /// and opens only with it. Errors: kInvalid, and those of the database.
  Result<> destroy(const std::string& name, const std::stop_token& stop) override;

  /// Stores `value`, whatever its bytes, under `name`, over an older one. Errors: kInvalid for an empty value
  /// or a name that check_secret_name refuses.
  Result<> put(const std::string& name, std::span<const std::uint8_t> value);
  /// Names and times, ordered by name.
  Result<std::vector<SecretRow>> list();
  /// Errors: kNotFound.
  Result<> remove(const std::string& name);

 private:
  std::mutex mutex_;
  std::unique_ptr<SecretTable> table_;
  SecretBytes master_key_;
};

}  // namespace zkv::gateway
