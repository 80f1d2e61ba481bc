// Signed envelopes of version 2, before anything in them is believed.
#include "protocol/envelope.h"

#include "fuzz.h"

namespace zkv::fuzz_envelope {
ZKV_FUZZ_TARGET(envelope) {
  using namespace zkv;  // NOLINT(google-build-using-namespace)
  const auto envelope = protocol::parse_envelope(fuzz::text_of({data, size}));
  if (!envelope) {
    fuzz::require_words(envelope.error());
    return 0;
  }
  const auto again = protocol::parse_envelope(to_json(*envelope));
  fuzz::require(again && again->type == envelope->type && again->body == envelope->body &&
                    again->signer == envelope->signer && again->signature == envelope->signature,
                "an envelope written and read again is the same");
  fuzz::require(hash_of(*again) == hash_of(*envelope), "its hash is the same");
  fuzz::require(!check_signature(*envelope, envelope->type, crypto::VerifyingKey{}),
                "a key of zeros has signed nothing");
  return 0;
}

}  // namespace zkv::fuzz_envelope
