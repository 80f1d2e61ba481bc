// When the gateway signs how far its audit log has come.
#pragma once

#include <optional>
#include <string>

#include "gateway/service/desk.h"
#include "gateway/service/service.h"

namespace zkv::gateway {

/// A checkpoint (audit/checkpoint.h) after so many rows, or so long after the first row since the last one;
/// its newest copy lies in a file beside the database, so that a log that was cut off shows. On the ledger's
/// thread only.
class Checkpoints {
 public:
  static constexpr std::uint64_t kRows = 256;
  static constexpr std::chrono::minutes kTime{5};

  Checkpoints(Desk& desk, const ServiceOptions& options, Time now)
      : desk_(desk), options_(options), last_at_(now), next_(now + kLook) {}

  /// At the start, before anything is appended: that the log still holds the checkpoint that was kept.
  /// Errors: kCorrupt when it does not: the log was cut off, an older database was put in its place, or the
  /// identity is another one.
  Result<> check_kept();
  /// When to look next whether one is due.
  [[nodiscard]] Time next() const { return next_; }
  /// In a transaction. At the gateway's end, or when one is due, appends a checkpoint, unless nothing
  /// happened since the last one.
  Result<> write(Time now, bool is_end);
  /// After the commit, or what came of it.
  void keep(Time now, bool is_committed);

 private:
  static constexpr std::chrono::minutes kLook{1};

  Desk& desk_;
  const ServiceOptions& options_;
  Time last_at_;
  std::uint64_t last_number_ = 0;
  Time next_;
  std::optional<std::string> written_;  ///< and not yet kept
};

}  // namespace zkv::gateway
