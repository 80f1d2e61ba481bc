// What a page sends for its person: the members of each body; the first byte says whose.
#include <boost/json/object.hpp>

#include "fuzz.h"
#include "gateway/http/people_json.h"
#include "gateway/passkey/parts.h"
#include "gateway/service/recovery_code.h"
#include "protocol/messages.h"

namespace zkv::fuzz_people_bodies {
namespace {

using namespace zkv::gateway;        // NOLINT(google-build-using-namespace)
using namespace zkv::gateway::http;  // NOLINT(google-build-using-namespace)
using Body = boost::json::object;

constexpr std::size_t kLongestBody = 64 * 1024;
constexpr std::size_t kLongestText = 256;
constexpr std::size_t kLongestTotp = 16;
const passkey::RelyingParty kParty{"https://gateway.example", "gateway.example"};

void check_invite(const Body& body) {
  const auto token = read_invite_token(body);
  if (!token) return fuzz::require_words(token.error());
  fuzz::require(token->size() == protocol::kInviteSize, "a token has its size, whatever it was made of");
}

void check_recovery_code(const Body& body) {
  const auto code = read_recovery_code(body);
  if (!code) return fuzz::require_words(code.error());
  std::string spread;
  for (const char c : code->view()) spread += std::string{c, ' ', '-'};
  fuzz::require(proof_of_recovery_code(spread) == proof_of_recovery_code(code->view()),
                "blanks and hyphens do not matter");
}

void check_totp_code(const Body& body) {
  const auto code = read_totp_code(body);
  if (!code) return fuzz::require_words(code.error());
  fuzz::require(code->size() <= kLongestTotp, "a longer code is refused");
  fuzz::require(code->find(' ') == std::string::npos, "blanks do not matter");
}

void check_made_passkey(const Body& body) {
  const auto made = read_made_passkey(body, kParty);
  if (!made) return fuzz::require_words(made.error());
  fuzz::require(made->label.size() <= kLongestText, "a longer label is refused");
  const auto& given = made->registration;
  fuzz::require(given.id.size() <= passkey::kLongestCredentialId, "a longer id is refused");
  fuzz::require(given.attestation_object.size() <= passkey::kLargestAttestationObject,
                "a larger attestation is refused");
  fuzz::require(given.client_data_json.size() <= passkey::kLargestClientData, "larger data is refused");
  fuzz::require(!verify_registration(given, {{}, made->party}), "nothing is right for a challenge of zeros");
}

void check_answer(const Result<SignedChallenge>& answer) {
  if (!answer) return fuzz::require_words(answer.error());
  const auto& given = answer->assertion;
  fuzz::require(given.id.size() <= passkey::kLongestCredentialId, "a longer id is refused");
  fuzz::require(given.authenticator_data.size() <= passkey::kLargestAuthenticatorData,
                "larger authenticator data is refused");
  fuzz::require(given.client_data_json.size() <= passkey::kLargestClientData, "larger data is refused");
  fuzz::require(given.signature.size() <= passkey::kLargestSignature, "a larger signature is refused");
  fuzz::require(answer->party.id == kParty.id, "the party is ours, not the body's");
}

void check_signed_challenge(const Body& body) { check_answer(read_signed_challenge(body, kParty)); }
void check_confirmation(const Body& body) { check_answer(read_confirmation(body, kParty)); }

void check_act(const Body& body) {
  const auto act = read_act(body);
  if (!act) return fuzz::require_words(act.error());
  fuzz::require(act->kind.size() <= passkey::kLongestActKind, "a longer act is refused");
  fuzz::require(act->about.size() <= passkey::kMostOfAct, "an act about more is refused");
  for (const auto& text : act->about) {
    fuzz::require(text.size() <= passkey::kLongestOfAct, "a longer text of an act is refused");
  }
}

void check_new_approver(const Body& body) {
  const auto wanted = read_new_approver(body);
  if (!wanted) return fuzz::require_words(wanted.error());
  fuzz::require(wanted->name.size() <= kLongestText, "a longer name is refused");
}

constexpr std::array kBodies{check_invite, check_made_passkey, check_signed_challenge, check_confirmation,
                             check_act,    check_new_approver, check_recovery_code,    check_totp_code};

void check_path_id(std::string_view text) {
  const auto id = read_path_id(std::string(text));
  if (!id) return fuzz::require_words(id.error());
  fuzz::require(to_base64(*id, Base64::kUrlNoPadding) == text, "an id in a path is written in one way");
}

}  // namespace

ZKV_FUZZ_TARGET(people_bodies) {
  fuzz::Pieces pieces({data, size});
  const std::size_t which = pieces.byte() % (kBodies.size() + 1);
  const auto text = fuzz::text_of(pieces.rest());
  if (which == kBodies.size()) {
    check_path_id(text);
    return 0;
  }
  const auto body = protocol::parse_object(text, kLongestBody);
  if (!body) {
    fuzz::require_words(body.error());
  } else {
    kBodies.at(which)(*body);
  }
  return 0;
}

}  // namespace zkv::fuzz_people_bodies
