// One row, one file.
#include "gateway/service/checkpoints.h"

#include "base/file.h"
#include "gateway/audit/checkpoint.h"

namespace zkv::gateway {

Result<> Checkpoints::write(Time now, bool is_end) {
  written_.reset();
  if (!is_end && now < next_) return {};
  ZKV_TRY(const auto head, desk_.store().audit_head());
  if (!head || head->event.kind == audit::kCheckpointKind) return {};
  const bool is_due = is_end || head->number >= last_number_ + kRows || now >= last_at_ + kTime;
  if (!is_due) return {};
  auto envelope = audit::seal({head->number, head->hash, now}, options_.identity->signing());
  ZKV_CHECK(desk_.store().append({now, std::string(audit::kCheckpointKind), "", "gateway", envelope}));
  last_at_ = now;
  last_number_ = head->number + 1;
  written_ = std::move(envelope);
  return {};
}

void Checkpoints::keep(Time now, bool is_committed) {
  if (now >= next_) next_ = now + kLook;
  if (!is_committed || !written_ || options_.checkpoint_file.empty()) return;
  const auto kept = replace_file(options_.checkpoint_file, bytes_of(*written_));
  written_.reset();
  if (!kept && options_.on_store_failure) options_.on_store_failure(kept.error());
}

}  // namespace zkv::gateway
