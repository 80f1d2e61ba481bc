// Evidence to JSON, back, and checked.
#include "gateway/passkey/evidence.h"

#include <boost/json/serialize.hpp>

#include "crypto/hash.h"
#include "gateway/passkey/assertion_json.h"

namespace zkv::gateway::passkey {

namespace {

constexpr std::string_view kPurpose = "zkv approval 2";
constexpr std::size_t kLongestWord = 16;
constexpr std::size_t kLargestEvidence = std::size_t{16} * 1024;

std::string base64(std::span<const std::uint8_t> bytes) { return to_base64(bytes, Base64::kUrlNoPadding); }

Result<Evidence> evidence_of(const protocol::Members& members) {
  Evidence evidence;
  ZKV_TRY(evidence.approver, members.base64_of<sizeof(ApproverId)>("approver"));
  ZKV_TRY(const auto decision, members.text("decision", kLongestWord));
  ZKV_TRY(evidence.decision, decision_from_text(decision));
  ZKV_TRY(evidence.random, members.base64_of<sizeof(ApprovalRandom)>("random"));
  ZKV_TRY(evidence.request, members.hex<sizeof(protocol::RequestHash)>("request"));
  ZKV_TRY(evidence.assertion, read_assertion(members));
  return evidence;
}

}  // namespace

std::string_view to_text(Decision decision) { return decision == Decision::kApprove ? "approve" : "deny"; }

Result<Decision> decision_from_text(std::string_view text) {
  if (text == to_text(Decision::kApprove)) return Decision::kApprove;
  if (text == to_text(Decision::kDeny)) return Decision::kDeny;
  return Error::invalid("a decision is 'approve' or 'deny'");
}

Challenge approval_challenge(Decision decision, const protocol::RequestHash& request,
                             const ApproverId& approver, const ApprovalRandom& random) {
  Bytes bound(kPurpose.begin(), kPurpose.end());
  bound.push_back(0);
  bound.push_back(static_cast<std::uint8_t>(decision));
  bound.insert(bound.end(), request.begin(), request.end());
  bound.insert(bound.end(), approver.begin(), approver.end());
  bound.insert(bound.end(), random.begin(), random.end());
  return crypto::sha256(bound);
}

std::string to_json(const Evidence& evidence) {
  boost::json::object object{{"approver", base64(evidence.approver)},
                             {"decision", to_text(evidence.decision)},
                             {"random", base64(evidence.random)},
                             {"request", to_hex(evidence.request)}};
  add_members(object, evidence.assertion);
  return boost::json::serialize(object);
}

Result<Evidence> read_evidence(std::string_view json) {
  ZKV_TRY(const auto object, protocol::parse_object(json, kLargestEvidence));
  ZKV_TRY(auto evidence, evidence_of(protocol::Members(object)));
  if (to_json(evidence) != json) {
    return Error::invalid("the evidence has something in it that does not belong there, or in another form");
  }
  return evidence;
}

Result<> verify_evidence(const Evidence& evidence, const Credential& known, const RelyingParty& party) {
  const auto challenge =
      approval_challenge(evidence.decision, evidence.request, evidence.approver, evidence.random);
  ZKV_CHECK(verify_past_assertion(evidence.assertion, known, {challenge, party}));
  return {};
}

}  // namespace zkv::gateway::passkey
