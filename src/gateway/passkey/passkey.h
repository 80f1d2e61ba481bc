// Registrations and assertions of passkeys (WebAuthn): bytes in, verdict out. No clock, no I/O, no store:
// that a challenge was ours, is fresh and serves once is the caller's matter, and so is whose credential it
// is.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "base/encoding.h"
#include "base/result.h"

namespace zkv::gateway::passkey {

using Challenge = std::array<std::uint8_t, 32>;

/// Where the page lives.
struct RelyingParty {
  std::string
      origin;      ///< as browsers write it: "https://gateway.example", a port only if not the default one
  std::string id;  ///< RP id: "gateway.example"
};

struct Expectation {
  Challenge challenge{};
  RelyingParty party;
};

/// What `navigator.credentials.create()` gave.
struct Registration {
  Bytes id;
  Bytes attestation_object;
  Bytes client_data_json;
};

/// What `navigator.credentials.get()` gave.
struct Assertion {
  Bytes id;
  Bytes authenticator_data;
  Bytes client_data_json;
  Bytes signature;
};

/// A passkey as it was registered. All that verify_past_assertion() needs is `id`, `public_key` and
/// `backup_eligible`, which never change: an audit row with these three lets anybody check again.
struct Credential {
  Bytes id;
  Bytes public_key;  ///< COSE_Key, which names its algorithm
  std::uint32_t counter = 0;
  bool backup_eligible = false;          ///< can be copied to other devices (a synced passkey)
  bool backed_up = false;                ///< was copied, when it was last heard of
  std::array<std::uint8_t, 16> model{};  ///< AAGUID; zeros when it does not say
};

/// What is new about a credential after an assertion, to be stored with it.
struct Verdict {
  std::uint32_t counter = 0;
  bool backed_up = false;
};

/// Checks all of WebAuthn Level 3, §7.1, that is not the caller's: type, challenge, origin, no other site's
/// frame, RP id, user present and verified, backup flags that fit, the credential and its key. Algorithms:
/// ES256, EdDSA (Ed25519), RS256.
/// The gateway asks for no attestation and believes none: format `none` must have an empty statement; any
/// other format is taken as not attested, its statement checked for being well-formed CBOR and nothing else.
/// Errors: kInvalid for what is misshapen, kDenied for what fails a check, kUnsupported for another
/// algorithm.
Result<Credential> verify_registration(const Registration& response, const Expectation& expected);

/// Checks all of WebAuthn Level 3, §7.2, that is not the caller's (the user handle): as above, and that it is
/// this credential, backup eligibility as registered, the signature, and last the counter.
/// Errors: kInvalid and kDenied as above; is_cloned() for a signature that is right with a counter that
/// did not grow: the caller ends the passkey.
Result<Verdict> verify_assertion(const Assertion& response, const Credential& known,
                                 const Expectation& expected);

/// The same without the counter: for an assertion that was taken once and is looked at again.
Result<Verdict> verify_past_assertion(const Assertion& response, const Credential& known,
                                      const Expectation& expected);

/// Whether verify_assertion() failed because two authenticators have the same key (§6.1.1).
inline bool is_cloned(const Error& error) { return error.kind() == ErrorKind::kConflict; }

}  // namespace zkv::gateway::passkey
