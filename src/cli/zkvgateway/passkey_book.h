// The passkeys that an audit log has told of so far.
#pragma once

#include <map>
#include <string>

#include "base/result.h"
#include "gateway/audit/row.h"
#include "gateway/passkey/passkey.h"

namespace zkv::cli {

/// Errors are kCorrupt and name the row.
class PasskeyBook {
 public:
  struct Entry {
    gateway::passkey::Credential credential;
    gateway::passkey::RelyingParty party;
    Bytes approver;
    bool has_ended = false;
  };

  /// A passkey and whose it is, in base64.
  struct Known {
    std::string id;
    std::string approver;
  };

  /// The row of a registration.
  Result<Known> learn(const gateway::audit::Row& row);
  /// The row of a passkey's end.
  void end(const gateway::audit::Row& row);
  /// The passkey that signed what `row` holds. Errors: it was not registered, had ended, or is another's.
  Result<const Entry*> signer(const gateway::audit::Row& row, const Bytes& id,
                              std::span<const std::uint8_t> approver) const;

 private:
  std::map<std::string, Entry> entries_;  ///< by id, in base64
};

Error does_not_hold(const gateway::audit::Row& row, const std::string& why);

}  // namespace zkv::cli
