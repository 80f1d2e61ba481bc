// Registrations, ends, and looking up who signed.
#include "passkey_book.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "protocol/json_members.h"

namespace zkv::cli {

namespace {

using gateway::audit::Row;

constexpr std::size_t kLongestDetail = std::size_t{64} << 10U;
constexpr std::size_t kLongestMember = 4'096;

std::string base64_of(const Bytes& id) { return to_base64(id, Base64::kUrlNoPadding); }

}  // namespace

Error does_not_hold(const Row& row, const std::string& why) {
  return Error::corrupt(fmt::format("audit row {}: {}", row.number, why))
      .remedy("somebody decided in another's name, or the log was rewritten; compare it with a backup");
}

Result<PasskeyBook::Known> PasskeyBook::learn(const Row& row) {
  const auto object = protocol::parse_object(row.event.detail, kLongestDetail);
  if (!object) return does_not_hold(row, "the passkey in it cannot be read");
  const protocol::Members members(*object);
  const auto id = members.base64("credential", kLongestMember);
  const auto key = members.base64("publicKey", kLongestMember);
  const auto approver = members.base64("approver", kLongestMember);
  const auto eligible = members.boolean("backupEligible");
  const auto party = members.text("rp", kLongestMember);
  const auto origin = members.text("origin", kLongestMember);
  if (!id || !key || !approver || !eligible || !party || !origin) {
    return does_not_hold(row, "the passkey in it lacks a member");
  }
  Entry entry;
  entry.credential.id = *id;
  entry.credential.public_key = *key;
  entry.credential.backup_eligible = *eligible;
  entry.party = {*origin, *party};
  entry.approver = *approver;
  entries_[base64_of(*id)] = std::move(entry);
  return Known{base64_of(*id), base64_of(*approver)};
}

void PasskeyBook::end(const Row& row) {
  const auto entry = entries_.find(row.event.detail.substr(0, row.event.detail.find(':')));
  if (entry != entries_.end()) entry->second.has_ended = true;
}

Result<const PasskeyBook::Entry*> PasskeyBook::signer(const Row& row, const Bytes& id,
                                                      std::span<const std::uint8_t> approver) const {
  const auto found = entries_.find(base64_of(id));
  if (found == entries_.end()) return does_not_hold(row, "its passkey was never registered");
  if (found->second.has_ended) return does_not_hold(row, "its passkey had ended before");
  if (!std::ranges::equal(found->second.approver, approver)) {
    return does_not_hold(row, "its passkey is somebody else's");
  }
  return &found->second;
}

}  // namespace zkv::cli
