// The codes of people's authenticator apps, in SQL: what makes them, and which were used.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/secret_bytes.h"
#include "base/time.h"
#include "gateway/store/people_store.h"
#include "gateway/totp/attempt.h"

namespace zkv::gateway {

/// One person's. At rest the secret is encrypted under a key that is not in the database.
struct Totp {
  ApproverId approver{};
  SecretBytes secret;
  Time made_at;
  Time begun_at;  ///< when its first code was given; the epoch: not yet, and it is good for nothing else
  totp::Tries tries;
  std::uint64_t logged = 0;  ///< the newest row of the audit log about it, when this was written
  std::string seal;          ///< of the row as it was read

  [[nodiscard]] bool has_begun() const { return begun_at != Time(); }
};

/// As PeopleStore. Errors of all, too: kInternal where the store was opened without a seal key.
class TotpStore {
 public:
  virtual ~TotpStore() = default;

  /// In place of the one that there was.
  virtual Result<> put(const Totp& totp) = 0;
  /// Writes begun_at, tries and logged where the row is still the one that was read. Errors: kConflict: a
  /// code was given at the same time.
  virtual Result<> update(const Totp& totp) = 0;
  /// Errors: kCorrupt also for an older row of the same person: the audit log knows a newer one.
  virtual Result<std::optional<Totp>> find(const Approver& approver) = 0;
  virtual Result<> remove(const ApproverId& approver) = 0;
};

}  // namespace zkv::gateway
