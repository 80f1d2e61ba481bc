// The recovery codes that an audit log has told of so far.
#pragma once

#include <map>
#include <string>

#include "base/result.h"
#include "gateway/audit/row.h"

namespace zkv::cli {

/// Source: docs/protocol-v2.md, "Recovery codes". Errors are kCorrupt and name the row.
class RecoveryCheck {
 public:
  /// A row "recovery.make": its codes take the place of the person's old ones.
  Result<> made(const gateway::audit::Row& row);
  /// A row "recovery.use": somebody had one of the codes that its actor made, and it was not used before.
  /// Gives the approver's id in base64.
  Result<std::string> used(const gateway::audit::Row& row);
  /// Those of a revoked approver, by id in base64.
  void end_those_of(const std::string& approver);

 private:
  struct Owner {
    std::string actor;
    std::string approver;
  };
  std::map<std::string, Owner> unused_;  ///< by their hashes, in hex
};

}  // namespace zkv::cli
