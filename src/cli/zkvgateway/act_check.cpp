// Each confirmation is used up by what it was given for.
#include "act_check.h"

#include "base/encoding.h"
#include "gateway/passkey/act.h"

namespace zkv::cli {

namespace {

using gateway::audit::Row;

constexpr const char* kPerson = "approver:";

std::string key_of(const std::string& actor, const std::string& act, const std::string& about) {
  return actor + '\n' + act + '\n' + about;
}

/// Of "NAME as ROLE", "NAME ID" and the like: what the act was about comes first, or last.
std::string first_of(const std::string& detail, const std::string& separator) {
  return detail.substr(0, detail.rfind(separator));
}

std::string last_word(const std::string& detail) { return detail.substr(detail.rfind(' ') + 1); }

/// An approver's id, which ends the detail in hex, as base64.
std::string id_at_end(const std::string& detail) {
  return to_base64(from_hex(last_word(detail)).value_or(Bytes()), Base64::kUrlNoPadding);
}

}  // namespace

Result<> ActCheck::confirmed(const Row& row, const PasskeyBook& book) {
  const auto evidence = gateway::passkey::read_act_evidence(row.event.detail);
  if (!evidence) {
    return does_not_hold(row, "the confirmation in it cannot be read: " + evidence.error().message());
  }
  ZKV_TRY(const auto* signer, book.signer(row, evidence->assertion.id, evidence->approver));
  const auto holds = gateway::passkey::verify_evidence(*evidence, signer->credential, signer->party);
  if (!holds) return does_not_hold(row, "its signature does not hold: " + holds.error().message());
  ++checked_;
  const auto& act = evidence->act;
  unused_.insert(key_of(row.event.actor, act.kind, act.about.empty() ? "" : act.about.front()));
  return {};
}

void ActCheck::registered(const Row& row) {
  welcome_ = {row.number + 1, kPerson + first_of(row.event.detail, " as "), id_at_end(row.event.detail)};
}

Result<> ActCheck::recovered(const Row& row) {
  ZKV_TRY(auto approver, recoveries_.used(row));
  welcome_ = {row.number + 1, row.event.actor, std::move(approver)};
  return {};
}

Result<> ActCheck::added(const Row& row, const PasskeyBook::Known& passkey) {
  const bool is_welcome = row.number == welcome_.row && row.event.actor == welcome_.actor &&
                          passkey.approver == welcome_.approver;
  if (is_welcome) return {};
  return use(row, "passkey.add", passkey.id);
}

Result<> ActCheck::done(const Row& row) {
  const auto& event = row.event;
  if (event.kind == "approver.revoke") recoveries_.end_those_of(id_at_end(event.detail));
  if (event.kind == "totp.set" || event.kind == "totp.remove") return use(row, event.kind, "");
  if (event.kind == "recovery.make") {
    ZKV_CHECK(use(row, event.kind, ""));
    return recoveries_.made(row);
  }
  if (!event.actor.starts_with(kPerson)) return {};
  if (event.kind == "approver.invite") return use(row, event.kind, first_of(event.detail, " as "));
  const auto id = last_word(event.detail);
  if (event.kind == "host.revoke" || event.kind == "boot.approve") return use(row, event.kind, id);
  return use(row, event.kind, id_at_end(event.detail));
}

Result<> ActCheck::use(const Row& row, const std::string& act, const std::string& about) {
  const auto found = unused_.find(key_of(row.event.actor, act, about));
  if (found == unused_.end()) {
    return does_not_hold(row, "a person did this without a passkey's confirmation");
  }
  unused_.erase(found);
  return {};
}

}  // namespace zkv::cli
