// The bytes that an act's challenge binds, and its evidence to JSON and back.
#include "gateway/passkey/act.h"

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "crypto/hash.h"
#include "gateway/passkey/assertion_json.h"

namespace zkv::gateway::passkey {

namespace {

constexpr std::string_view kActPurpose = "zkv act 2";
constexpr std::size_t kLargestActEvidence = std::size_t{24} * 1024;

void append_with_length(Bytes& bound, std::string_view text) {
  const auto size = static_cast<std::uint32_t>(text.size());
  for (const unsigned shift : {24U, 16U, 8U, 0U}) bound.push_back(static_cast<std::uint8_t>(size >> shift));
  bound.insert(bound.end(), text.begin(), text.end());
}

struct KnownAct {
  std::string_view kind;
  std::size_t texts;
};
constexpr std::array kActs{
    KnownAct{"approver.invite", 2}, KnownAct{"approver.revoke", 1}, KnownAct{"boot.approve", 2},
    KnownAct{"host.revoke", 1},     KnownAct{"passkey.add", 2},     KnownAct{"passkey.remove", 1},
    KnownAct{"recovery.make", 0},   KnownAct{"totp.set", 0},        KnownAct{"totp.remove", 0}};

}  // namespace

bool is_known(const Act& act) {
  return std::ranges::any_of(kActs, [&](const KnownAct& known) {
    return known.kind == act.kind && known.texts == act.about.size();
  });
}

Challenge act_challenge(const Act& act, const ApproverId& approver, const ApprovalRandom& random) {
  Bytes bound(kActPurpose.begin(), kActPurpose.end());
  bound.push_back(0);
  bound.insert(bound.end(), approver.begin(), approver.end());
  bound.insert(bound.end(), random.begin(), random.end());
  append_with_length(bound, act.kind);
  for (const auto& text : act.about) append_with_length(bound, text);
  return crypto::sha256(bound);
}

std::string to_json(const ActEvidence& evidence) {
  boost::json::object object{
      {"approver", to_base64(evidence.approver, Base64::kUrlNoPadding)},
      {"act", evidence.act.kind},
      {"about", boost::json::array(evidence.act.about.begin(), evidence.act.about.end())},
      {"random", to_base64(evidence.random, Base64::kUrlNoPadding)}};
  add_members(object, evidence.assertion);
  return boost::json::serialize(object);
}

Result<ActEvidence> read_act_evidence(std::string_view json) {
  ZKV_TRY(const auto object, protocol::parse_object(json, kLargestActEvidence));
  const protocol::Members members(object);
  ActEvidence evidence;
  ZKV_TRY(evidence.approver, members.base64_of<sizeof(ApproverId)>("approver"));
  ZKV_TRY(evidence.act.kind, members.text("act", kLongestActKind));
  ZKV_TRY(evidence.act.about, members.texts("about", kMostOfAct, kLongestOfAct));
  ZKV_TRY(evidence.random, members.base64_of<sizeof(ApprovalRandom)>("random"));
  ZKV_TRY(evidence.assertion, read_assertion(members));
  if (to_json(evidence) != json) {
    return Error::invalid("the evidence has something in it that does not belong there, or in another form");
  }
  return evidence;
}

Result<> verify_evidence(const ActEvidence& evidence, const Credential& known, const RelyingParty& party) {
  const auto challenge = act_challenge(evidence.act, evidence.approver, evidence.random);
  ZKV_CHECK(verify_past_assertion(evidence.assertion, known, {challenge, party}));
  return {};
}

}  // namespace zkv::gateway::passkey
