// Four members, written and read; the sizes are those that parts.h takes.
#include "gateway/passkey/assertion_json.h"

#include "gateway/passkey/parts.h"

namespace zkv::gateway::passkey {

void add_members(boost::json::object& object, const Assertion& assertion) {
  const auto text = [](const Bytes& bytes) { return to_base64(bytes, Base64::kUrlNoPadding); };
  object["credential"] = text(assertion.id);
  object["authenticatorData"] = text(assertion.authenticator_data);
  object["clientDataJSON"] = text(assertion.client_data_json);
  object["signature"] = text(assertion.signature);
}

Result<Assertion> read_assertion(const protocol::Members& members) {
  Assertion assertion;
  ZKV_TRY(assertion.id, members.base64("credential", kLongestCredentialId));
  ZKV_TRY(assertion.authenticator_data, members.base64("authenticatorData", kLargestAuthenticatorData));
  ZKV_TRY(assertion.client_data_json, members.base64("clientDataJSON", kLargestClientData));
  ZKV_TRY(assertion.signature, members.base64("signature", kLargestSignature));
  return assertion;
}

}  // namespace zkv::gateway::passkey
