// One row, one file.
#include "gateway/service/checkpoints.h"

#include "base/file.h"
#include "gateway/audit/checkpoint.h"

namespace zkv::gateway {
namespace {

Error does_not_hold_kept(const std::string& file, const std::string& why) {
  return Error::corrupt("the audit log is not the one of " + file + ": " + why)
      .remedy(
          "restore the newest database, and the identity.key that belongs to it; if an older one is meant "
          "to go on, move that file away (docs/operations.md, \"A changed database\")");
}

}  // namespace

Result<> Checkpoints::check_kept() {
  const auto& file = options_.checkpoint_file;
  if (file.empty()) return {};
  const auto kept = audit::load_checkpoint(file, options_.identity->signing().verifying_key());
  if (!kept && kept.error().kind() == ErrorKind::kCorrupt) {
    return does_not_hold_kept(file.string(), "this gateway's identity did not sign it");
  }
  if (!kept) return Error(kept.error());
  if (!*kept) return {};
  const auto number = (*kept)->number;
  ZKV_TRY(const auto rows, desk_.store().audit_rows(number, 1));
  const bool holds = !rows.empty() && rows.front().number == number && rows.front().hash == (*kept)->hash;
  if (holds) return {};
  return does_not_hold_kept(
      file.string(),
      "row " + std::to_string(number) + " is missing or another; the log was cut off, or is an older one");
}

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
