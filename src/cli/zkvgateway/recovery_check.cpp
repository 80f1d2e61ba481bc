// Codes made, used and ended.
#include "recovery_check.h"

#include "base/encoding.h"
#include "gateway/service/recovery_code.h"
#include "passkey_book.h"
#include "protocol/json_members.h"

namespace zkv::cli {

namespace {

using gateway::audit::Row;

constexpr std::size_t kLargestDetail = std::size_t{8} << 10U;
constexpr std::size_t kLongestId = 64;

Error unreadable(const Row& row) { return does_not_hold(row, "the recovery code in it cannot be read"); }

}  // namespace

Result<> RecoveryCheck::made(const Row& row) {
  const auto object = protocol::parse_object(row.event.detail, kLargestDetail);
  if (!object) return unreadable(row);
  const protocol::Members members(*object);
  const auto approver = members.text("approver", kLongestId);
  const auto hashes = members.hexes<sizeof(crypto::Sha256)>("codes", gateway::kRecoveryCodes);
  if (!approver || !hashes) return unreadable(row);
  end_those_of(*approver);
  for (const auto& hash : *hashes) unused_[to_hex(hash)] = {row.event.actor, *approver};
  return {};
}

Result<std::string> RecoveryCheck::used(const Row& row) {
  const auto object = protocol::parse_object(row.event.detail, kLargestDetail);
  if (!object) return unreadable(row);
  const protocol::Members members(*object);
  const auto approver = members.text("approver", kLongestId);
  const auto proof = members.hex<sizeof(crypto::Sha256)>("proof");
  if (!approver || !proof) return unreadable(row);
  const auto code = unused_.find(to_hex(gateway::hash_of_proof(*proof)));
  const bool is_theirs =
      code != unused_.end() && code->second.actor == row.event.actor && code->second.approver == *approver;
  if (!is_theirs) return does_not_hold(row, "a recovery code that this person had not made, or not any more");
  unused_.erase(code);
  return *approver;
}

void RecoveryCheck::end_those_of(const std::string& approver) {
  std::erase_if(unused_, [&](const auto& code) { return code.second.approver == approver; });
}

}  // namespace zkv::cli
