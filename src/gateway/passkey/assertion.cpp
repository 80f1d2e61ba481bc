// A known passkey's answer, by WebAuthn Level 3, §7.2.
#include "crypto/hash.h"
#include "gateway/passkey/checks.h"
#include "gateway/passkey/cose_key.h"

namespace zkv::gateway::passkey {

namespace {

Result<> check_signature(const Assertion& response, const Credential& known) {
  ZKV_TRY(const auto key, public_key_from_cose(known.public_key));
  Bytes message = response.authenticator_data;
  const auto hash = crypto::sha256(response.client_data_json);
  message.insert(message.end(), hash.begin(), hash.end());
  if (response.signature.size() > kLargestSignature || !key.verifies(message, response.signature)) {
    return Error::denied("the passkey's signature does not fit");
  }
  return {};
}

/// §6.1.1: an authenticator without a counter says zero always.
bool has_grown(std::uint32_t before, std::uint32_t now) { return now > before || (now == 0 && before == 0); }

}  // namespace

Result<Verdict> verify_past_assertion(const Assertion& response, const Credential& known,
                                      const Expectation& expected) {
  if (response.id != known.id) return Error::denied("the answer is of another passkey");
  ZKV_TRY(const auto client_data, parse_client_data(response.client_data_json));
  ZKV_CHECK(check(client_data, "webauthn.get", expected));
  ZKV_TRY(const auto data, parse_authenticator_data(response.authenticator_data));
  ZKV_CHECK(check(data, expected.party));
  if (data.credential) return Error::invalid("the authenticator data is that of a registration");
  if (data.backup_eligible != known.backup_eligible) {
    return Error::denied("the passkey says other than at its registration whether it can be copied")
        .remedy("remove it and register it anew");
  }
  ZKV_CHECK(check_signature(response, known));
  return Verdict{data.counter, data.backed_up};
}

Result<Verdict> verify_assertion(const Assertion& response, const Credential& known,
                                 const Expectation& expected) {
  ZKV_TRY(const auto verdict, verify_past_assertion(response, known, expected));
  if (!has_grown(known.counter, verdict.counter)) {
    return Error::conflict("the passkey's counter did not grow: there may be a copy of it")
        .remedy("remove this passkey, and register one on another device");
  }
  return verdict;
}

}  // namespace zkv::gateway::passkey
