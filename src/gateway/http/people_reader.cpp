// Reading what browsers send; its sizes are the passkey room's.
#include <fmt/format.h>

#include "gateway/http/people_json.h"
#include "gateway/passkey/parts.h"
#include "protocol/messages.h"

namespace zkv::gateway::http {

namespace {

constexpr std::size_t kLongestTokenText = 64;
constexpr std::size_t kLongestRoleText = 16;
constexpr std::size_t kLongestCodeText = 128;  ///< with blanks wherever somebody puts them
constexpr std::size_t kLongestTotpText = 16;
constexpr std::size_t kLongestText = 256;

/// The member, also when it is null or not there: some authenticators give no user handle.
Result<Bytes> user_handle_of(const boost::json::object& credential) {
  constexpr std::size_t kLongestHandle = 64;
  const auto* member = credential.if_contains("userHandle");
  if (member == nullptr || member->is_null()) return Bytes();
  return protocol::Members(credential).base64("userHandle", kLongestHandle);
}

Result<boost::json::object> object_of(const boost::json::object& body, const char* name) {
  const auto* member = body.if_contains(name);
  if (member != nullptr && member->is_object()) return member->get_object();
  return Error::invalid(fmt::format("the message is misshapen: '{}' is missing, or no object", name));
}

Result<SignedChallenge> read_answer(const boost::json::object& credential,
                                    const passkey::RelyingParty& party) {
  SignedChallenge answer;
  answer.party = party;
  const protocol::Members members(credential);
  auto& assertion = answer.assertion;
  ZKV_TRY(assertion.id, members.base64("id", passkey::kLongestCredentialId));
  ZKV_TRY(assertion.authenticator_data,
          members.base64("authenticatorData", passkey::kLargestAuthenticatorData));
  ZKV_TRY(assertion.client_data_json, members.base64("clientDataJSON", passkey::kLargestClientData));
  ZKV_TRY(assertion.signature, members.base64("signature", passkey::kLargestSignature));
  ZKV_TRY(answer.user_handle, user_handle_of(credential));
  return answer;
}

}  // namespace

Result<SecretBytes> read_invite_token(const boost::json::object& body) {
  ZKV_TRY(const auto text, protocol::Members(body).text("invite", kLongestTokenText));
  auto token = from_base64_secret(text, Base64::kUrlNoPadding);
  if (token && token->size() == protocol::kInviteSize) return std::move(*token);
  return SecretBytes(protocol::kInviteSize);  // fits none: a token of another form is one that nobody made
}

Result<SecretBytes> read_recovery_code(const boost::json::object& body) {
  ZKV_TRY(const auto text, protocol::Members(body).text("code", kLongestCodeText));
  return SecretBytes::copy_of(text);
}

Result<std::string> read_totp_code(const boost::json::object& body) {
  ZKV_TRY(auto text, protocol::Members(body).text("code", kLongestTotpText));
  std::erase(text, ' ');
  return text;
}

Result<MadePasskey> read_made_passkey(const boost::json::object& body, const passkey::RelyingParty& party) {
  MadePasskey made;
  made.party = party;
  ZKV_TRY(made.label, protocol::Members(body).text("label", kLongestText));
  ZKV_TRY(const auto credential, object_of(body, "credential"));
  const protocol::Members members(credential);
  auto& registration = made.registration;
  ZKV_TRY(registration.id, members.base64("id", passkey::kLongestCredentialId));
  ZKV_TRY(registration.attestation_object,
          members.base64("attestationObject", passkey::kLargestAttestationObject));
  ZKV_TRY(registration.client_data_json, members.base64("clientDataJSON", passkey::kLargestClientData));
  return made;
}

Result<SignedChallenge> read_signed_challenge(const boost::json::object& body,
                                              const passkey::RelyingParty& party) {
  ZKV_TRY(const auto credential, object_of(body, "credential"));
  return read_answer(credential, party);
}

Result<SignedChallenge> read_confirmation(const boost::json::object& body,
                                          const passkey::RelyingParty& party) {
  ZKV_TRY(const auto credential, object_of(body, "confirmation"));
  return read_answer(credential, party);
}

Result<passkey::Act> read_act(const boost::json::object& body) {
  const protocol::Members members(body);
  passkey::Act act;
  ZKV_TRY(act.kind, members.text("act", passkey::kLongestActKind));
  ZKV_TRY(act.about, members.texts("about", passkey::kMostOfAct, passkey::kLongestOfAct));
  return act;
}

Result<NewApprover> read_new_approver(const boost::json::object& body) {
  const protocol::Members members(body);
  NewApprover wanted;
  ZKV_TRY(wanted.name, members.text("name", kLongestText));
  ZKV_TRY(const auto role, members.text("role", kLongestRoleText));
  const auto known = role_from_text(role);
  if (!known) return Error::invalid("a role is 'owner' or 'approver'");
  wanted.role = *known;
  return wanted;
}

Result<Bytes> read_path_id(const std::string& text) {
  auto bytes = from_base64(text, Base64::kUrlNoPadding);
  if (bytes) return std::move(*bytes);
  return Error::not_found("there is nothing of that name");
}

}  // namespace zkv::gateway::http
