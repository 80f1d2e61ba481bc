// What a signed-in person confirms with a fresh answer of a passkey, beside decisions on requests: adding a
// passkey, inviting, revoking (docs/protocol-v2.md, "Confirming what gives or takes power").
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gateway/passkey/evidence.h"

namespace zkv::gateway::passkey {

/// A kind, and the texts that say what exactly is done: "approver.invite", {"Bea", "owner"}.
struct Act {
  std::string kind;
  std::vector<std::string> about;

  friend bool operator==(const Act&, const Act&) = default;
};

inline constexpr std::size_t kLongestActKind = 32;
inline constexpr std::size_t kMostOfAct = 4;
inline constexpr std::size_t kLongestOfAct = 1'400;  ///< bytes: the longest credential id in base64, and room

/// Whether there is an act of that kind, with as many texts (docs/protocol-v2.md, "Confirming what gives or
/// takes power").
bool is_known(const Act& act);

/// SHA-256("zkv act 2" ‖ 0x00 ‖ approver id ‖ random ‖ for the kind and each text: length (4 bytes, big
/// endian) ‖ text).
Challenge act_challenge(const Act& act, const ApproverId& approver, const ApprovalRandom& random);

/// One person's confirmation of one act, provable from this and the credential alone.
struct ActEvidence {
  ApproverId approver{};
  Act act;
  ApprovalRandom random{};
  Assertion assertion;
};

std::string to_json(const ActEvidence& evidence);
/// Takes exactly the texts that to_json() writes. Errors: kInvalid.
Result<ActEvidence> read_act_evidence(std::string_view json);
/// As verify_evidence() of a decision. Errors: as verify_past_assertion().
Result<> verify_evidence(const ActEvidence& evidence, const Credential& known, const RelyingParty& party);

}  // namespace zkv::gateway::passkey
