// Codes of apps as rows: the statements on zkv_totp.
#pragma once

#include "gateway/store/database.h"
#include "gateway/store/row_seal.h"
#include "gateway/store/totp_store.h"

namespace zkv::gateway {

class TotpTable : public TotpStore {
 public:
  /// Without a key there is nothing here.
  TotpTable(Database& database, RowSeal seal, const SecretBytes* key);

  Result<> put(const Totp& totp) override;
  Result<> update(const Totp& totp) override;
  Result<std::optional<Totp>> find(const Approver& approver) override;
  Result<> remove(const ApproverId& approver) override;
  /// All end: their secrets are under a key that is gone.
  Result<> adopt();

 private:
  struct Row {
    std::string approver, sealed, seal;
    long long made_at = 0;
    long long begun_at = 0;
    long long last_step = 0;
    int wrong = 0;
    long long locked_until = 0;
    long long logged = 0;
  };

  static std::vector<std::string> columns_of(const Row& row);
  [[nodiscard]] Result<> need_key() const;
  Row row_of(const Totp& totp, std::string sealed) const;
  [[nodiscard]] std::string encrypted(const Totp& totp) const;
  [[nodiscard]] Result<SecretBytes> decrypted(const Row& row) const;
  Result<std::optional<Row>> read(const ApproverId& approver);
  Result<long long> newest_logged(const Approver& approver);

  Database& database_;
  RowSeal seal_;
  SecretBytes key_;  ///< for secrets alone
};

}  // namespace zkv::gateway
