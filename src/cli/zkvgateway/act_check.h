// Checks again, from the audit log alone, that whatever gave or took power was confirmed by a passkey.
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "base/result.h"
#include "gateway/audit/row.h"
#include "passkey_book.h"
#include "recovery_check.h"

namespace zkv::cli {

/// Source: docs/protocol-v2.md, "Confirming what gives or takes power". Errors are kCorrupt and name the row.
class ActCheck {
 public:
  /// A row "approver.confirm": its signature, by a passkey of the book.
  Result<> confirmed(const gateway::audit::Row& row, const PasskeyBook& book);
  /// A row "approver.register": the passkey of the next row, that person's first, needs no other to confirm
  /// it.
  void registered(const gateway::audit::Row& row);
  /// A row "recovery.use": nor does the passkey of its next row.
  Result<> recovered(const gateway::audit::Row& row);
  /// A row "approver.passkey", about that passkey.
  Result<> added(const gateway::audit::Row& row, const PasskeyBook::Known& passkey);
  /// A row about an invite, a revocation or new recovery codes, if a person is named in it.
  Result<> done(const gateway::audit::Row& row);
  [[nodiscard]] std::uint64_t checked() const { return checked_; }

 private:
  Result<> use(const gateway::audit::Row& row, const std::string& act, const std::string& about);

  std::multiset<std::string> unused_;  ///< confirmed and not done yet: who, what, about what
  /// Whose passkey the row of that number may hold unconfirmed.
  struct Welcome {
    std::uint64_t row = 0;
    std::string actor;
    std::string approver;
  };
  Welcome welcome_;
  RecoveryCheck recoveries_;
  std::uint64_t checked_ = 0;
};

}  // namespace zkv::cli
