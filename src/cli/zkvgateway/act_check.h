// Checks again, from the audit log alone, that whatever gave or took power was confirmed by a passkey.
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "base/result.h"
#include "gateway/audit/row.h"
#include "passkey_book.h"

namespace zkv::cli {

/// Source: docs/protocol-v2.md, "Confirming what gives or takes power". Errors are kCorrupt and name the row.
class ActCheck {
 public:
  /// A row "approver.confirm": its signature, by a passkey of the book.
  Result<> confirmed(const gateway::audit::Row& row, const PasskeyBook& book);
  /// A row "approver.register": its first passkey needs no other to confirm it.
  void registered(const gateway::audit::Row& row);
  /// A row "approver.passkey" about the passkey `id`.
  Result<> added(const gateway::audit::Row& row, const std::string& id);
  /// A row about an invite or a revocation, if a person is named in it.
  Result<> done(const gateway::audit::Row& row);
  [[nodiscard]] std::uint64_t checked() const { return checked_; }

 private:
  Result<> use(const gateway::audit::Row& row, const std::string& act, const std::string& about);

  std::multiset<std::string> unused_;  ///< confirmed and not done yet: who, what, about what
  std::string newcomer_;               ///< the actor whose first passkey the next row holds
  std::uint64_t checked_ = 0;
};

}  // namespace zkv::cli
