// The chain, and the checkpoints in it.
#include "gateway/audit/verifier.h"

#include <fmt/format.h>

namespace zkv::gateway::audit {

Result<> Verifier::take(const Row& row) {
  ZKV_CHECK(verify(row, rows_ + 1, previous_));
  if (row.event.kind == kCheckpointKind && key_) ZKV_CHECK(take_checkpoint(row));
  ++rows_;
  previous_ = row.hash;
  if (row.number == watched_number_) watched_hash_ = row.hash;
  return {};
}

Result<> Verifier::take_checkpoint(const Row& row) {
  auto checkpoint = open_checkpoint(row.event.detail, *key_);
  if (!checkpoint) return std::move(checkpoint).error().context(fmt::format("audit row {}", row.number));
  if (checkpoint->number != rows_ || checkpoint->hash != previous_) {
    return Error::corrupt(
               fmt::format("audit row {}: its checkpoint vouches for another row {} than the one that "
                           "stands there",
                           row.number, checkpoint->number))
        .remedy("the log was rewritten outside the gateway; compare it with a backup");
  }
  ++checkpoints_;
  vouched_for_ = rows_;
  return {};
}

Result<> Verifier::check_holds(const Checkpoint& known) const {
  if (rows_ < known.number) {
    return Error::corrupt(fmt::format("the audit log ends at row {}, and {} rows were signed on {}", rows_,
                                      known.number, to_text(known.at)))
        .remedy("it was cut off, or an older database was put back; compare it with a backup");
  }
  if (watched_hash_ != known.hash) {
    return Error::corrupt(fmt::format("audit row {} is another than the one that was signed on {}",
                                      known.number, to_text(known.at)))
        .remedy("the log was rewritten outside the gateway; compare it with a backup");
  }
  return {};
}

Result<> Verifier::check_ends_signed() const {
  if (rows_ == 0 || (checkpoints_ > 0 && vouched_for_ + 1 == rows_)) return {};
  return Error::corrupt(fmt::format("the log ends at row {}, which is no signed checkpoint", rows_))
      .remedy("an export ends with one: rows were cut off or added; export it again at the gateway");
}

}  // namespace zkv::gateway::audit
