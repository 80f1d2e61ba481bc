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

bool is_act(const std::string& kind) {
  return kind == "approver.invite" || kind == "approver.revoke" || kind == "host.revoke" ||
         kind == "recovery.make" || kind == "totp.set" || kind == "totp.remove";
}

bool is_persons_decision(const Row& row) {
  return (row.event.kind == "request.approve" || row.event.kind == "request.deny") &&
         (row.event.actor.starts_with("approver:") || row.event.actor.starts_with("totp:"));
}

}  // namespace

Result<> ApprovalCheck::take(const Row& row) {
  const auto& kind = row.event.kind;
  if (kind == "request.ask" || kind == "request.address") learn_request(row);
  if (kind == "approver.passkey") return learn(row);
  if (kind == "approver.passkey-end") passkeys_.end(row);
  if (kind == "approver.confirm") return acts_.confirmed(row, passkeys_);
  if (kind == "approver.register") acts_.registered(row);
  if (kind == "recovery.use") return acts_.recovered(row);
  if (is_act(kind)) ZKV_CHECK(acts_.done(row));
  if (kind == "approver.revoke") totps_.revoked(row);
  if (kind.starts_with("totp.")) return code(row);
  if (kind.starts_with("boot.")) return boot(row);
  if (kind == "request.evidence") return check(row);
  if (is_persons_decision(row)) ZKV_CHECK(check_has_evidence(row));
  if (row.event.kind == "request.approve") {
    ZKV_CHECK(check_was_planned(row));
    approved_.insert(row.event.request);
  }
  if (row.event.kind == "request.release") return check_was_approved(row);
  return {};
}

/// Approved as an act that was confirmed, or as what a host asked for and a person approved; used once.
Result<> ApprovalCheck::boot(const Row& row) {
  const auto& event = row.event;
  const auto host = event.detail.substr(event.detail.rfind(' ') + 1);
  if (event.kind == "boot.approve") {
    if (event.request.empty()) ZKV_CHECK(acts_.done(row));
    if (!event.request.empty()) ZKV_CHECK(check_was_approved(row));
    boots_.insert(host);
  } else if (boots_.erase(host) == 0) {
    return does_not_hold(row, "a next boot that nobody had approved");
  } else if (event.kind == "boot.use") {
    planned_.insert(event.request);
  }
  return {};
}

Result<> ApprovalCheck::check_was_planned(const Row& row) const {
  if (!row.event.actor.starts_with("planned:") || planned_.contains(row.event.request)) return {};
  return does_not_hold(row, "an approval beforehand that nobody gave");
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
  ZKV_TRY(const auto passkey, passkeys_.learn(row));
  return acts_.added(row, passkey);
}

Result<> ApprovalCheck::check(const Row& row) {
  const auto evidence = gateway::passkey::read_evidence(row.event.detail);
  if (!evidence)
    return does_not_hold(row, "the evidence in it cannot be read: " + evidence.error().message());
  ZKV_TRY(const auto* signer, passkeys_.signer(row, evidence->assertion.id, evidence->approver));
  const auto request = requests_.find(row.event.request);
  if (request == requests_.end() || request->second != evidence->request) {
    return does_not_hold(row, "it was signed for another request");
  }
  const auto holds = gateway::passkey::verify_evidence(*evidence, signer->credential, signer->party);
  if (!holds) return does_not_hold(row, "its signature does not hold: " + holds.error().message());
  ++checked_;
  last_request_ = row.event.request;
  last_actor_ = row.event.actor;
  last_decision_ = "request." + std::string(gateway::passkey::to_text(evidence->decision));
  return {};
}

/// Nothing that a code leaves behind can be checked as a signature can: only that it was used once.
Result<> ApprovalCheck::code(const Row& row) {
  ZKV_CHECK(totps_.take(row));
  if (row.event.kind != "totp.decide") return {};
  const auto request = requests_.find(row.event.request);
  if (request == requests_.end() || to_hex(request->second) != totps_.decided().hash) {
    return does_not_hold(row, "the code was given for another request");
  }
  last_request_ = row.event.request;
  last_actor_ = totps_.decided().actor;
  last_decision_ = totps_.decided().kind;
  return {};
}

Result<> ApprovalCheck::check_has_evidence(const Row& row) const {
  const auto& event = row.event;
  const bool fits =
      event.request == last_request_ && event.actor == last_actor_ && event.kind == last_decision_;
  if (fits) return {};
  return does_not_hold(row, "a person's decision without the evidence of a passkey or a code");
}

}  // namespace zkv::cli
