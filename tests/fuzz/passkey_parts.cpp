// What browsers and authenticators give, part by part; the first byte says which.
#include "gateway/passkey/parts.h"

#include "fuzz.h"
#include "gateway/passkey/act.h"
#include "gateway/passkey/cbor.h"
#include "gateway/passkey/cose_key.h"
#include "gateway/passkey/evidence.h"

namespace zkv::fuzz_passkey_parts {
namespace {

using namespace zkv::gateway::passkey;  // NOLINT(google-build-using-namespace)
using Part = std::span<const std::uint8_t>;

void check_client_data(Part bytes) {
  const auto data = parse_client_data(bytes);
  if (!data) return fuzz::require_words(data.error());
  fuzz::require(bytes.size() <= kLargestClientData, "longer client data is refused");
}

void check_authenticator_data(Part bytes) {
  const auto data = parse_authenticator_data(bytes);
  if (!data) return fuzz::require_words(data.error());
  fuzz::require(bytes.size() <= kLargestAuthenticatorData, "longer authenticator data is refused");
  if (!data->credential) return;
  fuzz::require(!data->credential->id.empty() && data->credential->id.size() <= kLongestCredentialId,
                "the id of a credential is neither empty nor too long");
}

void check_attestation_object(Part bytes) {
  const auto object = parse_attestation_object(bytes);
  if (!object) return fuzz::require_words(object.error());
  fuzz::require(bytes.size() <= kLargestAttestationObject, "a longer attestation is refused");
}

void check_cbor(Part bytes) {
  const auto read = read_cbor(bytes);
  if (!read) return fuzz::require_words(read.error());
  fuzz::require(read->size > 0 && read->size <= bytes.size(), "an item takes bytes that are there");
  const auto alone = read_cbor(bytes.first(read->size));
  fuzz::require(alone && alone->size == read->size, "an item is the same without what follows it");
  fuzz::require(!read_cbor(bytes.first(read->size - 1)), "an item that is cut off is refused");
}

void check_public_key(Part bytes) {
  const auto key = public_key_from_cose(bytes);
  if (!key) return fuzz::require_words(key.error());
  fuzz::require(!key->verifies(bytes, bytes), "a key is no signature of itself");
}

void check_evidence(Part bytes) {
  const auto text = fuzz::text_of(bytes);
  const auto evidence = read_evidence(text);
  if (!evidence) return fuzz::require_words(evidence.error());
  fuzz::require(to_json(*evidence) == text, "evidence has one text");
}

void check_act_evidence(Part bytes) {
  const auto text = fuzz::text_of(bytes);
  const auto evidence = read_act_evidence(text);
  if (!evidence) return fuzz::require_words(evidence.error());
  fuzz::require(to_json(*evidence) == text, "evidence of an act has one text");
}

constexpr std::array kChecks{check_client_data, check_authenticator_data, check_attestation_object,
                             check_cbor,        check_public_key,         check_evidence,
                             check_act_evidence};

}  // namespace

ZKV_FUZZ_TARGET(passkey_parts) {
  fuzz::Pieces pieces({data, size});
  const auto which = pieces.byte() % kChecks.size();
  kChecks.at(which)(pieces.rest());
  return 0;
}

}  // namespace zkv::fuzz_passkey_parts
