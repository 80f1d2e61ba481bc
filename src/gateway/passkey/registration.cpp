// A new passkey, by WebAuthn Level 3, §7.1.
#include "gateway/passkey/checks.h"
#include "gateway/passkey/cose_key.h"

namespace zkv::gateway::passkey {

namespace {

Result<> check_attestation(const AttestationObject& object) {
  if (object.format == "none" && object.has_statement) {
    return Error::invalid("the attestation object: format 'none' with a statement");
  }
  return {};
}

}  // namespace

Result<Credential> verify_registration(const Registration& response, const Expectation& expected) {
  ZKV_TRY(const auto client_data, parse_client_data(response.client_data_json));
  ZKV_CHECK(check(client_data, "webauthn.create", expected));
  ZKV_TRY(auto object, parse_attestation_object(response.attestation_object));
  auto& data = object.authenticator_data;
  ZKV_CHECK(check(data, expected.party));
  ZKV_CHECK(check_attestation(object));
  if (!data.credential) return Error::invalid("the authenticator data has no credential");
  if (data.credential->id != response.id)
    return Error::denied("the credential's id is not the one it came with");
  ZKV_CHECK(public_key_from_cose(data.credential->public_key));
  return Credential{std::move(data.credential->id),
                    std::move(data.credential->public_key),
                    data.counter,
                    data.backup_eligible,
                    data.backed_up,
                    data.credential->model};
}

}  // namespace zkv::gateway::passkey
