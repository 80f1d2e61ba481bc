// Checks again, from the audit log alone, everything that a person did by passkey.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "act_check.h"
#include "base/result.h"
#include "gateway/audit/row.h"
#include "gateway/passkey/evidence.h"
#include "passkey_book.h"
#include "totp_check.h"

namespace zkv::cli {

/// Takes the rows of a log in their order: learns each passkey from the row of its registration, and with it
/// checks what that passkey signed, and that it signed for the request that the row is about. Source:
/// docs/protocol-v2.md, "An approval by passkey".
class ApprovalCheck {
 public:
  /// Errors: kCorrupt, naming the row: evidence that does not hold, of a passkey that was not registered
  /// before or had ended, a person's decision without any, a release without an approval, a boot approved
  /// beforehand by nobody, or power given or
  /// taken by a person without a passkey's confirmation.
  Result<> take(const gateway::audit::Row& row);
  [[nodiscard]] std::uint64_t checked() const { return checked_; }
  [[nodiscard]] std::uint64_t confirmations() const { return acts_.checked(); }
  /// Decisions by codes, which nobody signed.
  [[nodiscard]] std::uint64_t by_code() const { return totps_.decisions(); }

 private:
  void learn_request(const gateway::audit::Row& row);
  Result<> learn(const gateway::audit::Row& row);
  Result<> check(const gateway::audit::Row& row);
  Result<> boot(const gateway::audit::Row& row);
  Result<> code(const gateway::audit::Row& row);
  [[nodiscard]] Result<> check_was_planned(const gateway::audit::Row& row) const;
  [[nodiscard]] Result<> check_was_approved(const gateway::audit::Row& row) const;
  [[nodiscard]] Result<> check_has_evidence(const gateway::audit::Row& row) const;

  PasskeyBook passkeys_;
  ActCheck acts_;
  TotpCheck totps_;
  std::uint64_t checked_ = 0;
  std::map<std::string, protocol::RequestHash> requests_;  ///< by their ids
  std::string last_request_;                               ///< that the last evidence was about
  std::string last_actor_;
  std::set<std::string> approved_;
  std::set<std::string> boots_;    ///< hosts whose next boot is approved
  std::set<std::string> planned_;  ///< requests that used such an approval
  std::string last_decision_;
};

}  // namespace zkv::cli
