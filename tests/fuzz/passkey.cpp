// Whole registrations and assertions, against the challenges of the specification's vectors.
#include "gateway/passkey/passkey.h"

#include "fuzz.h"
#include "gateway/passkey/cose_key.h"

namespace zkv::fuzz_passkey {
namespace {

using namespace zkv::gateway::passkey;  // NOLINT(google-build-using-namespace)

Expectation expectation(std::string_view challenge_hex) {
  Expectation expected{.challenge = {}, .party = {"https://example.org", "example.org"}};
  const auto challenge = from_hex(challenge_hex);
  std::copy(challenge->begin(), challenge->end(), expected.challenge.begin());
  return expected;
}

void check_registration(fuzz::Pieces& pieces) {
  static const auto expected =
      expectation("7869c2b772d4b58eba9378cf8f29e26cf935aa77df0da89fa99c0bdc0a76f7e5");
  const Registration response{.id = fuzz::copy_of(pieces.counted()),
                              .attestation_object = fuzz::copy_of(pieces.counted()),
                              .client_data_json = fuzz::copy_of(pieces.counted())};
  const auto credential = verify_registration(response, expected);
  if (!credential) return fuzz::require_words(credential.error());
  fuzz::require(credential->id == response.id, "the credential has the id that was said");
  fuzz::require(public_key_from_cose(credential->public_key).has_value(), "its key can be used");
  fuzz::require(credential->backup_eligible || !credential->backed_up, "only what may be copied was copied");
}

void check_assertion(fuzz::Pieces& pieces) {
  static const auto expected =
      expectation("ef1deba56dce48f674a447ccf63b9599258ce87648e5c396f2ef0ca1da460e3b");
  Credential known{.id = fuzz::copy_of(pieces.counted()), .public_key = fuzz::copy_of(pieces.counted())};
  known.counter = pieces.byte();
  known.backup_eligible = pieces.byte() % 2 == 1;
  const Assertion response{.id = known.id,
                           .authenticator_data = fuzz::copy_of(pieces.counted()),
                           .client_data_json = fuzz::copy_of(pieces.counted()),
                           .signature = fuzz::copy_of(pieces.counted())};
  const auto verdict = verify_assertion(response, known, expected);
  const auto past = verify_past_assertion(response, known, expected);
  if (!verdict) fuzz::require_words(verdict.error());
  fuzz::require(past.has_value() == (verdict.has_value() || is_cloned(verdict.error())),
                "the counter alone tells a new assertion from a past one");
}

}  // namespace

ZKV_FUZZ_TARGET(passkey) {
  fuzz::Pieces pieces({data, size});
  const bool is_registration = pieces.byte() % 2 == 0;
  is_registration ? check_registration(pieces) : check_assertion(pieces);
  return 0;
}

}  // namespace zkv::fuzz_passkey
