// What a passkey signs at sign-in: anybody may ask for one, so the gateway keeps none of them. Each proves by
// itself who made it and until when it is good; that it was answered rightly is remembered until then. On the
// ledger's thread only.
#pragma once

#include <chrono>
#include <map>
#include <string>

#include "base/secret_bytes.h"
#include "base/time.h"
#include "gateway/passkey/passkey.h"

namespace zkv::gateway {

class SignInChallenges {
 public:
  /// They end with this object, too: its key is new.
  explicit SignInChallenges(std::chrono::seconds life);

  [[nodiscard]] passkey::Challenge make(Time now) const;
  /// Whether this made it, its time is not over, and it was not used.
  [[nodiscard]] bool is_good(const passkey::Challenge& challenge, Time now) const;
  /// It served: a right answer to it came.
  void use(const passkey::Challenge& challenge, Time now);

 private:
  std::chrono::seconds life_;
  SecretBytes key_;
  std::map<passkey::Challenge, Time> used_;  ///< and when they end
};

}  // namespace zkv::gateway
