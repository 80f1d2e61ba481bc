// Writing: the members in the document's order.
#include "gateway/http/people_json.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <string_view>

#include "base/time.h"

namespace zkv::gateway::http {

namespace {

namespace json_lib = boost::json;

json_lib::value text_or_null(const std::string& text) {
  return text.empty() ? json_lib::value(nullptr) : json_lib::value(text);
}

std::string bytes_text(std::span<const std::uint8_t> bytes) {
  return to_base64(bytes, Base64::kUrlNoPadding);
}

/// Where the host's key is.
json_lib::value key_word(const Host& host) { return protocol::is_of_tpm(host.identity) ? "tpm" : "file"; }

json_lib::object evidence_json(const protocol::Evidence& evidence) {
  return {{"boot_id", evidence.boot_id},
          {"kernel", evidence.kernel},
          {"hostname", evidence.hostname},
          {"uptime", evidence.uptime},
          {"addresses", json_lib::array(evidence.addresses.begin(), evidence.addresses.end())},
          {"planned", evidence.is_planned},
          {"tpm", evidence.has_tpm}};
}

json_lib::object compared_json(const HostAsk& ask) {
  return {{"first_from_address", ask.is_first_from_address},
          {"kernel_changed", ask.is_new_kernel},
          {"last_release", time_or_null(ask.last_release)},
          {"replaces_other_boot", ask.replaces_other_boot}};
}

}  // namespace

Reply json(unsigned status, const json_lib::object& object) {
  return json(status, json_lib::serialize(object));
}

json_lib::value time_or_null(Time time) {
  return time == Time() ? json_lib::value(nullptr) : json_lib::value(zkv::to_text(time));
}

json_lib::object card_json(const RequestCard& card, const std::optional<std::string>& address_name) {
  const auto& request = card.request;
  json_lib::object object{{"id", request.id.text},
                          {"hash", to_hex(hash_of(card))},
                          {"state", std::string(gateway::to_text(request.state))},
                          {"created_at", zkv::to_text(request.created_at)},
                          {"expires_at", zkv::to_text(request.expires_at)},
                          {"decided_by", text_or_null(without_approver(request.decided_by))},
                          {"reason", text_or_null(request.reason)},
                          {"address", request.address},
                          {"address_name", text_or_null(address_name.value_or(""))},
                          {"host", nullptr},
                          {"volumes", json_lib::array()},
                          {"number", nullptr},
                          {"evidence", nullptr},
                          {"compared", nullptr},
                          {"next_boot", nullptr},
                          {"drill", card.message && card.message->is_drill},
                          {"new_keys", card.message && card.message->successor}};
  if (card.host) {
    object["host"] = {{"id", card.host->id},
                      {"name", card.host->name},
                      {"group", card.host->group},
                      {"key", key_word(*card.host)}};
  }
  if (card.message) {
    object["volumes"] = json_lib::array(card.message->volumes.begin(), card.message->volumes.end());
    object["number"] = card.message->number;
    object["evidence"] = evidence_json(card.message->evidence);
    if (card.message->next_boot) object["next_boot"] = card.message->next_boot->count();
  }
  if (card.ask) object["compared"] = compared_json(*card.ask);
  return object;
}

json_lib::object invite_json(const Invite& invite) {
  const bool is_host = invite.kind == Invite::Kind::kHost;
  return {{"id", id_of(invite)},
          {"kind", is_host ? "host" : "approver"},
          {"name", invite.name},
          {is_host ? "group" : "role", invite.group},
          {"created_at", zkv::to_text(invite.created_at)},
          {"expires_at", zkv::to_text(invite.expires_at)}};
}

json_lib::object boot_approval_json(const BootApproval& approval) {
  return {{"by", without_approver(approval.by)},
          {"approved_at", zkv::to_text(approval.approved_at)},
          {"until", zkv::to_text(approval.until)}};
}

void add_next_boot(json_lib::object& host, const std::string& id, const std::vector<BootApproval>& live) {
  const auto approved = std::ranges::find(live, id, &BootApproval::host);
  host["next_boot"] =
      approved == live.end() ? json_lib::value(nullptr) : json_lib::value(boot_approval_json(*approved));
}

void add_heartbeat(json_lib::object& host, const std::string& id, const std::vector<LastHeartbeat>& all) {
  const auto last = std::ranges::find(all, id, &LastHeartbeat::host);
  if (last == all.end()) {
    host["heartbeat"] = nullptr;
    return;
  }
  host["heartbeat"] = {{"at", zkv::to_text(last->at)},
                       {"version", last->version},
                       {"generation", last->generation},
                       {"count", last->count},
                       {"findings", json_lib::array(last->findings.begin(), last->findings.end())},
                       {"overdue", is_overdue(*last, now())}};
}

json_lib::object host_json(const Host& host) {
  return {{"id", host.id},
          {"name", host.name},
          {"group", host.group},
          {"key", key_word(host)},
          {"enrolled_at", zkv::to_text(host.enrolled_at)},
          {"last_seen", time_or_null(host.seen_at)},
          {"last_address", text_or_null(host.address)},
          {"revoked_at", time_or_null(host.revoked_at)}};
}

json_lib::object passkey_json(const Passkey& passkey) {
  return {{"id", bytes_text(passkey.id)},
          {"label", passkey.label},
          {"created_at", zkv::to_text(passkey.created_at)},
          {"last_used", time_or_null(passkey.used_at)},
          {"backed_up", passkey.backed_up}};
}

json_lib::object approver_json(const ApproverCard& card) {
  Time last_used;
  for (const auto& passkey : card.passkeys) last_used = std::max(last_used, passkey.used_at);
  return {{"id", bytes_text(card.approver.id)},
          {"name", card.approver.name},
          {"role", std::string(gateway::to_text(card.approver.role))},
          {"created_at", zkv::to_text(card.approver.created_at)},
          {"passkeys", card.passkeys.size()},
          {"last_used", time_or_null(last_used)}};
}

json_lib::object recovery_json(const RecoveryState& state) {
  return {{"left", state.left}, {"made_at", time_or_null(state.made_at)}};
}

Reply recovery_codes_reply(const std::vector<SecretBytes>& codes) {
  SecretBuilder body;
  body.append(R"({"codes":[)");
  for (const auto& code : codes) {
    body.append(&code == &codes.front() ? "\"" : ",\"");
    body.append(code.span());
    body.append("\"");
  }
  body.append("]}");
  Reply reply = json(201, std::string());
  reply.secret = std::make_shared<const SecretBytes>(body.take());
  return reply;
}

json_lib::object session_json(const SignedIn& signed_in, const std::string& gateway_name) {
  return {{"approver",
           {{"id", bytes_text(signed_in.approver.id)},
            {"name", signed_in.approver.name},
            {"role", std::string(gateway::to_text(signed_in.approver.role))}}},
          {"gateway", gateway_name},
          {"by", signed_in.kind == SessionKind::kTotp ? "totp" : "passkey"},
          {"expires_at", zkv::to_text(signed_in.expires_at)}};
}

json_lib::object registration_json(const RegistrationAsk& ask, const passkey::RelyingParty& party,
                                   const std::string& gateway_name) {
  json_lib::array exclude;
  for (const auto& id : ask.exclude) exclude.push_back(json_lib::value(bytes_text(id)));
  return {{"challenge", bytes_text(ask.challenge)},
          {"rp", {{"id", party.id}, {"name", "zfs-keyvault at " + gateway_name}}},
          {"user", {{"id", bytes_text(ask.approver)}, {"name", ask.name}}},
          {"exclude", std::move(exclude)}};
}

json_lib::object challenge_json(const passkey::Challenge& challenge, const passkey::RelyingParty& party) {
  return {{"challenge", bytes_text(challenge)}, {"rp", {{"id", party.id}}}};
}

json_lib::object signing_json(const SigningAsk& ask, const passkey::RelyingParty& party) {
  auto object = challenge_json(ask.challenge, party);
  json_lib::array allow;
  for (const auto& id : ask.allow) allow.push_back(json_lib::value(bytes_text(id)));
  object["allow"] = std::move(allow);
  return object;
}

}  // namespace zkv::gateway::http
