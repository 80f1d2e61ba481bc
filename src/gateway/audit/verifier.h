// Verifying a whole audit log, row by row, with nothing but the rows and the gateway's public key.
#pragma once

#include <optional>

#include "base/result.h"
#include "crypto/signature.h"
#include "gateway/audit/checkpoint.h"
#include "gateway/audit/row.h"

namespace zkv::gateway::audit {

/// Takes the rows in their order, from the first one on. Without a key the chain alone is checked.
class Verifier {
 public:
  explicit Verifier(std::optional<crypto::VerifyingKey> key) : key_(key) {}

  /// Errors: kCorrupt, naming the row that was changed, or the one that is missing.
  Result<> take(const Row& row);
  /// After the last row: whether the log still holds what `known`, a checkpoint kept elsewhere, vouches for.
  /// Errors: kCorrupt (cut off before it, or rewritten).
  [[nodiscard]] Result<> check_holds(const Checkpoint& known) const;
  /// After the last row of an export: whether a checkpoint ends it, as it ends each. Errors: kCorrupt (cut
  /// off, or with rows added).
  [[nodiscard]] Result<> check_ends_signed() const;
  /// To be told, before its row is taken, of which row check_holds() will be asked.
  void watch_for(std::uint64_t number) { watched_number_ = number; }

  [[nodiscard]] std::uint64_t rows() const { return rows_; }
  [[nodiscard]] const crypto::Sha256& last_hash() const { return previous_; }
  [[nodiscard]] std::uint64_t checkpoints() const { return checkpoints_; }
  /// The number of the last row that a checkpoint vouches for; 0: none.
  [[nodiscard]] std::uint64_t vouched_for() const { return vouched_for_; }

 private:
  Result<> take_checkpoint(const Row& row);

  std::optional<crypto::VerifyingKey> key_;
  std::uint64_t rows_ = 0;
  crypto::Sha256 previous_{};
  std::uint64_t checkpoints_ = 0;
  std::uint64_t vouched_for_ = 0;
  std::uint64_t watched_number_ = 0;
  crypto::Sha256 watched_hash_{};
};

}  // namespace zkv::gateway::audit
