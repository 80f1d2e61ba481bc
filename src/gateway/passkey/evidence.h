// What an approval by passkey binds, and the document that proves it afterwards (docs/protocol-v2.md, "An
// approval by passkey").
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "gateway/passkey/passkey.h"
#include "protocol/messages.h"

namespace zkv::gateway::passkey {

enum class Decision : std::uint8_t { kApprove = 1, kDeny = 2 };
std::string_view to_text(Decision decision);
/// "approve" or "deny". Errors: kInvalid.
Result<Decision> decision_from_text(std::string_view text);

using ApproverId = std::array<std::uint8_t, 16>;
using ApprovalRandom = std::array<std::uint8_t, 32>;  ///< fresh for each challenge

/// SHA-256("zkv approval 2" ‖ 0x00 ‖ decision ‖ request hash ‖ approver id ‖ random).
Challenge approval_challenge(Decision decision, const protocol::RequestHash& request,
                             const ApproverId& approver, const ApprovalRandom& random);

/// One person's decision on one request, provable from this and the credential alone.
struct Evidence {
  ApproverId approver{};
  Decision decision = Decision::kDeny;
  protocol::RequestHash request{};
  ApprovalRandom random{};
  Assertion assertion;
};

/// `request` is hex, every other byte string url-safe base64 without padding.
std::string to_json(const Evidence& evidence);
/// Takes exactly the texts that to_json() writes, so that one approval has one hash. Errors: kInvalid.
Result<Evidence> read_evidence(std::string_view json);

/// Makes the challenge anew and checks everything that verify_past_assertion() does. That `known` belonged to
/// the approver, and was good at the time, is what the audit log says around it. Errors: as there.
Result<> verify_evidence(const Evidence& evidence, const Credential& known, const RelyingParty& party);

}  // namespace zkv::gateway::passkey
