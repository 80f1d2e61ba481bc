// The codes of authenticator apps that an audit log has told of so far. They leave no signature: what can be
// checked is that each was used once, by somebody who had set an app up with a passkey.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/result.h"
#include "gateway/audit/row.h"
#include "protocol/messages.h"

namespace zkv::cli {

/// Source: docs/protocol-v2.md, "Codes of an authenticator app". Errors are kCorrupt and name the row.
class TotpCheck {
 public:
  /// A row whose kind begins with "totp.".
  Result<> take(const gateway::audit::Row& row);
  /// A row "approver.revoke": that approver's end.
  void revoked(const gateway::audit::Row& row);

  /// What the last row "totp.decide" was about.
  struct Decided {
    std::string actor;
    std::string kind;  ///< "request.approve" or "request.deny"
    std::string hash;  ///< of the request, hex
  };
  [[nodiscard]] const Decided& decided() const { return decided_; }
  [[nodiscard]] std::uint64_t decisions() const { return decisions_; }

 private:
  struct App {
    std::string name;
    bool has_begun = false;
    std::uint64_t step = 0;
  };
  Result<> use(const gateway::audit::Row& row, App& app, std::uint64_t step);

  std::map<std::string, App> apps_;  ///< by the approver's id, base64
  Decided decided_;
  std::uint64_t decisions_ = 0;
};

}  // namespace zkv::cli
