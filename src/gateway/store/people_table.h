// Approvers, passkeys, sessions, recovery codes and approvals as rows: the statements on zkv_approver,
// zkv_passkey, zkv_session, zkv_recovery_code and zkv_approval.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "gateway/store/database.h"
#include "gateway/store/people_store.h"
#include "gateway/store/row_seal.h"

namespace zkv::gateway {

class PeopleTable : public PeopleStore {
 public:
  PeopleTable(Database& database, RowSeal seal) : database_(database), seal_(std::move(seal)) {}

  Result<> insert(const Approver& approver) override;
  Result<> revoke(const ApproverId& id, Time at) override;
  Result<std::optional<Approver>> find_approver(const ApproverId& id) override;
  Result<std::optional<Approver>> approver_called(const std::string& name) override;
  Result<std::vector<Approver>> all_approvers() override;
  Result<> insert(const Passkey& passkey) override;
  Result<> update(const Passkey& passkey) override;
  Result<std::optional<Passkey>> find_passkey(const Bytes& id) override;
  Result<std::vector<Passkey>> passkeys_of(const ApproverId& approver) override;
  Result<> insert(const Session& session) override;
  Result<std::optional<Session>> find_session(const crypto::Sha256& hash) override;
  Result<> end_session(const crypto::Sha256& hash) override;
  Result<> end_sessions_of(const ApproverId& approver) override;
  Result<> end_totp_sessions_of(const ApproverId& approver) override;
  Result<> insert(const RecoveryCode& code) override;
  Result<std::optional<RecoveryCode>> find_recovery_code(const crypto::Sha256& hash) override;
  Result<std::vector<RecoveryCode>> recovery_codes_of(const ApproverId& approver) override;
  Result<> end_recovery_code(const crypto::Sha256& hash) override;
  Result<> end_recovery_codes_of(const ApproverId& approver) override;
  Result<> insert(const Approval& approval) override;
  Result<std::vector<crypto::Sha256>> approvals_of(const RequestId& request) override;
  /// Seals the approvers and passkeys that are there, whoever wrote them; sessions and
  /// recovery codes end.
  Result<> adopt();

 private:
  /// `rest` is what follows the table's name in the SELECT; `parameter` fills its :1, if it has one.
  Result<std::vector<Approver>> select_approvers(const std::string& rest,
                                                 const std::optional<std::string>& parameter);
  Result<> adopt_passkeys();
  Result<std::vector<Passkey>> select_passkeys(const std::string& rest, const std::string& parameter);
  Result<std::vector<RecoveryCode>> select_recovery_codes(const std::string& rest,
                                                          const std::string& parameter);

  Database& database_;
  RowSeal seal_;
};

/// The bytes that a column holds in hex. Errors: kCorrupt, saying `what` is damaged.
template <std::size_t size>
Result<std::array<std::uint8_t, size>> bytes_of_column(const std::string& hex, const std::string& what) {
  const auto bytes = from_hex(hex);
  std::array<std::uint8_t, size> out{};
  if (!bytes || bytes->size() != size) {
    return Error::corrupt("the database's row of " + what + " is damaged")
        .remedy("restore the database from the last backup");
  }
  std::copy(bytes->begin(), bytes->end(), out.begin());
  return out;
}

}  // namespace zkv::gateway
