// Rows about passkeys and decisions, one kind after the other.
#include "approval_check.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "gateway/service/cards.h"
#include "protocol/json_members.h"

namespace zkv::cli {

namespace {

using gateway::audit::Row;

constexpr std::size_t kLongestDetail = std::size_t{64} << 10U;
constexpr std::size_t kLongestMember = 4'096;

Error does_not_hold(const Row& row, const std::string& why) {
  return Error::corrupt(fmt::format("audit row {}: {}", row.number, why))
      .remedy("somebody decided in another's name, or the log was rewritten; compare it with a backup");
}

std::string credential_text(const Bytes& id) { return to_base64(id, Base64::kUrlNoPadding); }

bool is_persons_decision(const Row& row) {
  return (row.event.kind == "request.approve" || row.event.kind == "request.deny") &&
         row.event.actor.starts_with("approver:");
}

}  // namespace

Result<> ApprovalCheck::take(const Row& row) {
  if (row.event.kind == "request.ask") learn_request(row);
  if (row.event.kind == "approver.passkey") return learn(row);
  if (row.event.kind == "approver.passkey-end") end(row);
  if (row.event.kind == "request.evidence") return check(row);
  if (is_persons_decision(row)) ZKV_CHECK(check_has_evidence(row));
  if (row.event.kind == "request.approve") approved_.insert(row.event.request);
  if (row.event.kind == "request.release") return check_was_approved(row);
  return {};
}

Result<> ApprovalCheck::check_was_approved(const Row& row) const {
  if (approved_.contains(row.event.request)) return {};
  return does_not_hold(row, "a release without an approval");
}

void ApprovalCheck::learn_request(const Row& row) {
  const auto& event = row.event;
  const auto hash = from_hex(event.detail.substr(event.detail.rfind(' ') + 1));
  protocol::RequestHash bound{};
  if (hash && hash->size() == bound.size()) {
    std::ranges::copy(*hash, bound.begin());
  } else {
    bound = gateway::hash_of_first_protocol(event.request, event.actor);
  }
  requests_[event.request] = bound;
}

Result<> ApprovalCheck::learn(const Row& row) {
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
  Known known;
  known.credential.id = *id;
  known.credential.public_key = *key;
  known.credential.backup_eligible = *eligible;
  known.party = {*origin, *party};
  known.approver = *approver;
  passkeys_[credential_text(*id)] = std::move(known);
  return {};
}

void ApprovalCheck::end(const Row& row) {
  const auto known = passkeys_.find(row.event.detail.substr(0, row.event.detail.find(':')));
  if (known != passkeys_.end()) known->second.has_ended = true;
}

Result<> ApprovalCheck::check(const Row& row) {
  const auto evidence = gateway::passkey::read_evidence(row.event.detail);
  if (!evidence)
    return does_not_hold(row, "the evidence in it cannot be read: " + evidence.error().message());
  const auto found = passkeys_.find(credential_text(evidence->assertion.id));
  if (found == passkeys_.end()) return does_not_hold(row, "its passkey was never registered");
  const auto& known = found->second;
  if (known.has_ended) return does_not_hold(row, "its passkey had ended before");
  if (!std::ranges::equal(known.approver, evidence->approver)) {
    return does_not_hold(row, "its passkey is somebody else's");
  }
  const auto request = requests_.find(row.event.request);
  if (request == requests_.end() || request->second != evidence->request) {
    return does_not_hold(row, "it was signed for another request");
  }
  const auto holds = gateway::passkey::verify_evidence(*evidence, known.credential, known.party);
  if (!holds) return does_not_hold(row, "its signature does not hold: " + holds.error().message());
  ++checked_;
  last_request_ = row.event.request;
  last_actor_ = row.event.actor;
  last_decision_ = "request." + std::string(gateway::passkey::to_text(evidence->decision));
  return {};
}

Result<> ApprovalCheck::check_has_evidence(const Row& row) const {
  const auto& event = row.event;
  const bool fits =
      event.request == last_request_ && event.actor == last_actor_ && event.kind == last_decision_;
  if (fits) return {};
  return does_not_hold(row, "a person's decision without the evidence of a passkey");
}

}  // namespace zkv::cli
