// Passkeys as they are meant to be used: registered, asked, approving, looked at again. Also the vectors of
// the specification, and libfido2's opinion of the same assertions. What attackers try is in
// passkey_attack_test.
#include <fido.h>
#include <fido/eddsa.h>
#include <fido/es256.h>
#include <fido/rs256.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "crypto/hash.h"
#include "gateway/passkey/cose_key.h"
#include "gateway/passkey/evidence.h"
#include "gateway/passkey/passkey.h"
#include "passkey_vectors.h"
#include "passkey_world.h"
#include "software_authenticator.h"

namespace zkv::gateway::passkey {
namespace {

namespace json = boost::json;
namespace vectors = test::vectors;
using test::bytes;
using test::Ceremony;
using test::home;
using test::kChallenge;
using test::KeyKind;
using test::refusal;
using test::SoftwareAuthenticator;
using testing::HasSubstr;

RelyingParty example() { return {"https://example.org", "example.org"}; }

Challenge challenge(std::string_view hex) {
  Challenge out{};
  std::ranges::copy(bytes(hex), out.begin());
  return out;
}
Bytes signed_bytes(const Bytes& authenticator_data, const Bytes& client_data) {
  Bytes out = authenticator_data;
  const auto hash = crypto::sha256(client_data);
  out.insert(out.end(), hash.begin(), hash.end());
  return out;
}
Credential registered(const SoftwareAuthenticator& authenticator, const Ceremony& ceremony = {}) {
  return verify_registration(authenticator.create(kChallenge, ceremony), {kChallenge, home()}).value();
}

// --- registered, asked ---

class EveryKind : public testing::TestWithParam<KeyKind> {};
INSTANTIATE_TEST_SUITE_P(Passkey, EveryKind,
                         testing::Values(KeyKind::kP256, KeyKind::kEd25519, KeyKind::kRsa2048));

TEST_P(EveryKind, IsRegisteredAndAnswers) {
  SoftwareAuthenticator authenticator(GetParam());
  const auto credential = registered(authenticator);
  EXPECT_EQ(credential.id, authenticator.id());
  EXPECT_EQ(credential.public_key, authenticator.cose_key());
  EXPECT_TRUE(credential.backup_eligible);
  EXPECT_TRUE(credential.backed_up);

  const auto verdict = verify_assertion(authenticator.get(kChallenge), credential, {kChallenge, home()});
  ASSERT_TRUE(verdict.has_value()) << verdict.error().message();
  EXPECT_EQ(verdict->counter, 1U);
  EXPECT_TRUE(verdict->backed_up);
}

TEST(Passkey, NeedNotMentionOtherSitesFrames) {
  SoftwareAuthenticator authenticator;
  const auto credential = registered(authenticator, {.more_members = ""});
  EXPECT_TRUE(verify_assertion(authenticator.get(kChallenge, {.more_members = ""}), credential,
                               {kChallenge, home()}));
}

TEST(Passkey, MayAddMembersAndExtensionsThatNobodyKnows) {
  SoftwareAuthenticator authenticator;
  const Ceremony chatty{.more_members = R"(,"crossOrigin":false,"other":{"keys":["can be added"]})",
                        .extensions = test::cbor_map_of("of the future", true)};
  const auto credential = registered(authenticator, chatty);
  EXPECT_TRUE(verify_assertion(authenticator.get(kChallenge, chatty), credential, {kChallenge, home()}));
}

TEST(Passkey, OfAnotherAttestationFormatIsTakenAsNotAttested) {
  const SoftwareAuthenticator authenticator;
  const auto response = authenticator.create(
      kChallenge, {.format = "packed", .statement = test::cbor_map_of("not looked at", true)});
  EXPECT_TRUE(verify_registration(response, {kChallenge, home()}));
}

TEST(Passkey, BoundToADeviceSaysSo) {
  SoftwareAuthenticator authenticator;
  const Ceremony bound{.flags = test::kUserPresent | test::kUserVerified};
  const auto credential = registered(authenticator, bound);
  EXPECT_FALSE(credential.backup_eligible);
  EXPECT_FALSE(credential.backed_up);
  EXPECT_TRUE(verify_assertion(authenticator.get(kChallenge, bound), credential, {kChallenge, home()}));
}

TEST(Passkey, MayBeCopiedAfterItsRegistration) {
  SoftwareAuthenticator authenticator;
  const Ceremony before{.flags = test::kUserPresent | test::kUserVerified | test::kBackupEligible};
  const auto credential = registered(authenticator, before);
  EXPECT_FALSE(credential.backed_up);
  const auto verdict = verify_assertion(authenticator.get(kChallenge), credential, {kChallenge, home()});
  EXPECT_TRUE(verdict.value().backed_up);
}

// --- the counter ---

Result<Verdict> asked_with_counters(std::uint32_t stored, std::uint32_t given) {
  SoftwareAuthenticator authenticator;
  const auto credential = registered(authenticator, {.counter = stored});
  return verify_assertion(authenticator.get(kChallenge, {.counter = given}), credential,
                          {kChallenge, home()});
}

TEST(PasskeyCounter, MayBeZeroForEver) { EXPECT_TRUE(asked_with_counters(0, 0)); }
TEST(PasskeyCounter, MayGrowByMoreThanOne) { EXPECT_EQ(asked_with_counters(7, 900).value().counter, 900U); }
TEST(PasskeyCounter, MayUseAll32Bits) { EXPECT_TRUE(asked_with_counters(0x7fffffff, 0xffffffff)); }
TEST(PasskeyCounter, ThatStandsStillTellsOfACopy) {
  EXPECT_TRUE(is_cloned(refusal(asked_with_counters(7, 7))));
}
TEST(PasskeyCounter, ThatGoesBackTellsOfACopy) { EXPECT_TRUE(is_cloned(refusal(asked_with_counters(7, 6)))); }
TEST(PasskeyCounter, ThatFallsToZeroTellsOfACopy) {
  EXPECT_TRUE(is_cloned(refusal(asked_with_counters(7, 0))));
}

// --- the specification's vectors ---

TEST(PasskeyVectors, PackedSelfAttestationIsRegistered) {
  namespace vector = vectors::packed_self;
  const auto credential =
      verify_registration({bytes(vector::kId), bytes(vector::kAttestationObject), bytes(vector::kClientData)},
                          {challenge(vector::kChallenge), example()});
  ASSERT_TRUE(credential.has_value()) << credential.error().message();
  EXPECT_TRUE(credential->backup_eligible);
  EXPECT_TRUE(credential->backed_up);
  EXPECT_EQ(to_hex(credential->model), "df850e09db6afbdfab51697791506cfc");
}

TEST(PasskeyVectors, NoneAttestationWithoutUserVerificationIsRefused) {
  namespace vector = vectors::none_es256;
  const auto credential =
      verify_registration({bytes(vector::kId), bytes(vector::kAttestationObject), bytes(vector::kClientData)},
                          {challenge(vector::kChallenge), example()});
  EXPECT_THAT(refusal(credential).message(), HasSubstr("does not say that it checked who you are"));
}

TEST(PasskeyVectors, AnotherSitesFrameIsRefused) {
  namespace vector = vectors::cross_origin;
  const auto credential =
      verify_registration({bytes(vector::kId), bytes(vector::kAttestationObject), bytes(vector::kClientData)},
                          {challenge(vector::kChallenge), example()});
  EXPECT_THAT(refusal(credential).message(), HasSubstr("inside another site's frame"));
}

TEST(PasskeyVectors, Es256AssertionIsTaken) {
  namespace vector = vectors::long_id;
  const Credential known{{1}, bytes(vector::kPublicKey), 0, true, false, {}};
  const auto verdict = verify_assertion(
      {known.id, bytes(vector::kAuthenticatorData), bytes(vector::kClientData), bytes(vector::kSignature)},
      known, {challenge(vector::kChallenge), example()});
  ASSERT_TRUE(verdict.has_value()) << verdict.error().message();
  EXPECT_FALSE(verdict->backed_up);
}

TEST(PasskeyVectors, EdDsaSignatureFits) {
  namespace vector = vectors::eddsa;
  const auto key = public_key_from_cose(bytes(vector::kPublicKey)).value();
  EXPECT_TRUE(key.verifies(signed_bytes(bytes(vector::kAuthenticatorData), bytes(vector::kClientData)),
                           bytes(vector::kSignature)));
}

// --- libfido2 thinks the same ---

using FidoKey = std::shared_ptr<void>;

struct FidoPublicKey {
  int algorithm;
  FidoKey key;
};

FidoPublicKey fido_key(KeyKind kind, const Bytes& raw) {
  if (kind == KeyKind::kEd25519) {
    const std::shared_ptr<eddsa_pk_t> key(eddsa_pk_new(), [](eddsa_pk_t* old) { eddsa_pk_free(&old); });
    EXPECT_EQ(eddsa_pk_from_ptr(key.get(), raw.data(), raw.size()), FIDO_OK);
    return {COSE_EDDSA, key};
  }
  if (kind == KeyKind::kP256) {
    const std::shared_ptr<es256_pk_t> key(es256_pk_new(), [](es256_pk_t* old) { es256_pk_free(&old); });
    EXPECT_EQ(es256_pk_from_ptr(key.get(), raw.data(), raw.size()), FIDO_OK);
    return {COSE_ES256, key};
  }
  const std::shared_ptr<rs256_pk_t> key(rs256_pk_new(), [](rs256_pk_t* old) { rs256_pk_free(&old); });
  EXPECT_EQ(rs256_pk_from_ptr(key.get(), raw.data(), raw.size()), FIDO_OK);
  return {COSE_RS256, key};
}

bool fido_takes(const Assertion& answer, const FidoPublicKey& key) {
  const std::shared_ptr<fido_assert_t> check(fido_assert_new(),
                                             [](fido_assert_t* old) { fido_assert_free(&old); });
  const auto& data = answer.authenticator_data;
  const auto& client_data = answer.client_data_json;
  return fido_assert_set_rp(check.get(), home().id.c_str()) == FIDO_OK &&
         fido_assert_set_clientdata(check.get(), client_data.data(), client_data.size()) == FIDO_OK &&
         fido_assert_set_count(check.get(), 1) == FIDO_OK &&
         fido_assert_set_authdata_raw(check.get(), 0, data.data(), data.size()) == FIDO_OK &&
         fido_assert_set_up(check.get(), FIDO_OPT_TRUE) == FIDO_OK &&
         fido_assert_set_uv(check.get(), FIDO_OPT_TRUE) == FIDO_OK &&
         fido_assert_set_sig(check.get(), 0, answer.signature.data(), answer.signature.size()) == FIDO_OK &&
         fido_assert_verify(check.get(), 0, key.algorithm, key.key.get()) == FIDO_OK;
}

TEST_P(EveryKind, IsTakenByLibfido2Too) {
  SoftwareAuthenticator authenticator(GetParam());
  EXPECT_TRUE(
      fido_takes(authenticator.get(kChallenge), fido_key(GetParam(), authenticator.raw_public_key())));
}

TEST_P(EveryKind, IsRefusedByLibfido2TooWhereThatLooks) {
  SoftwareAuthenticator authenticator(GetParam());
  const auto key = fido_key(GetParam(), authenticator.raw_public_key());
  auto other = authenticator.get(kChallenge);
  other.client_data_json.back() = ' ';
  EXPECT_FALSE(fido_takes(other, key));
  EXPECT_FALSE(fido_takes(authenticator.get(kChallenge, {.rp_id = "other.example"}), key));
  EXPECT_FALSE(fido_takes(authenticator.get(kChallenge, {.flags = test::kUserPresent}), key));
}

// --- approvals and their evidence ---

struct Approval : testing::Test {
  SoftwareAuthenticator authenticator;
  Credential credential = registered(authenticator);
  Evidence evidence{
      .approver = {4}, .decision = Decision::kApprove, .request = {5}, .random = {6}, .assertion = {}};

  Approval() {
    evidence.assertion = authenticator.get(
        approval_challenge(evidence.decision, evidence.request, evidence.approver, evidence.random));
  }
  [[nodiscard]] Result<> checked() const { return verify_evidence(evidence, credential, home()); }
  [[nodiscard]] json::object document() const { return json::parse(to_json(evidence)).as_object(); }
};

TEST(ApprovalChallenge, IsAsTheProtocolSays) {  // by Python's hashlib
  protocol::RequestHash request{};
  ApproverId approver{};
  ApprovalRandom random{};
  request.fill(0x11);
  approver.fill(0x22);
  random.fill(0x33);
  EXPECT_EQ(to_hex(approval_challenge(Decision::kApprove, request, approver, random)),
            "44b29bd25c87083d35b75b55d2ee10cd5ea67ef555895e09f2be32bd217f3113");
}

TEST_F(Approval, IsProvedByItsEvidenceAgain) {
  EXPECT_TRUE(checked());
  const auto read = read_evidence(to_json(evidence));
  ASSERT_TRUE(read.has_value()) << read.error().message();
  EXPECT_TRUE(verify_evidence(*read, credential, home()));
  EXPECT_EQ(to_json(*read), to_json(evidence));
}

TEST_F(Approval, IsProvedWhateverTheCounterIsNow) {
  credential.counter = 1'000;
  EXPECT_TRUE(checked());
}

TEST_F(Approval, DoesNotProveTheOtherDecision) {
  evidence.decision = Decision::kDeny;
  EXPECT_EQ(refusal(checked()).kind(), ErrorKind::kDenied);
}
TEST_F(Approval, DoesNotProveAnotherRequest) {
  evidence.request[31] ^= 1;
  EXPECT_EQ(refusal(checked()).kind(), ErrorKind::kDenied);
}
TEST_F(Approval, DoesNotProveAnotherApprover) {
  evidence.approver[15] ^= 1;
  EXPECT_EQ(refusal(checked()).kind(), ErrorKind::kDenied);
}
TEST_F(Approval, DoesNotProveAnotherRandom) {
  evidence.random[0] ^= 1;
  EXPECT_EQ(refusal(checked()).kind(), ErrorKind::kDenied);
}
TEST_F(Approval, DoesNotProveAnotherCredential) {
  credential = registered(SoftwareAuthenticator());
  EXPECT_EQ(refusal(checked()).kind(), ErrorKind::kDenied);
}
TEST_F(Approval, DoesNotProveAnotherKeyUnderTheSameId) {
  credential.public_key = SoftwareAuthenticator().cose_key();
  EXPECT_EQ(refusal(checked()).kind(), ErrorKind::kDenied);
}
TEST_F(Approval, DoesNotProveAnotherGateway) {
  EXPECT_FALSE(verify_evidence(evidence, credential, {"https://other.example", "other.example"}));
}

TEST_F(Approval, EvidenceNamesWhatTheProtocolNames) {
  const auto members = document();
  EXPECT_EQ(members.size(), 8U);
  EXPECT_EQ(members.at("decision").as_string(), "approve");
  EXPECT_EQ(members.at("request").as_string(), to_hex(evidence.request));
  EXPECT_EQ(members.at("approver").as_string(), to_base64(evidence.approver, Base64::kUrlNoPadding));
}

TEST_F(Approval, EvidenceWithAMemberLessIsRefused) {
  for (const auto& member : document()) {
    auto less = document();
    less.erase(member.key());
    EXPECT_EQ(refusal(read_evidence(json::serialize(less))).kind(), ErrorKind::kInvalid) << member.key();
  }
}
TEST_F(Approval, EvidenceWithAMemberMoreIsRefused) {
  auto more = document();
  more["more"] = 1;
  EXPECT_EQ(refusal(read_evidence(json::serialize(more))).kind(), ErrorKind::kInvalid);
}
TEST_F(Approval, EvidenceWithAMemberTwiceIsRefused) {
  const auto text = R"({"decision":"deny",)" + to_json(evidence).substr(1);
  EXPECT_EQ(refusal(read_evidence(text)).kind(), ErrorKind::kInvalid);
}
TEST_F(Approval, EvidenceInAnotherOrderOrSpacingIsRefused) {
  EXPECT_FALSE(read_evidence(" " + to_json(evidence)));
  EXPECT_FALSE(read_evidence(to_json(evidence) + "\n"));
}
TEST_F(Approval, EvidenceOfNoDecisionIsRefused) {
  auto other = document();
  other["decision"] = "Approve";
  EXPECT_FALSE(read_evidence(json::serialize(other)));
}
TEST_F(Approval, EvidenceThatIsEndlessIsRefused) {
  auto other = document();
  other["signature"] = std::string(20'000, 'A');
  EXPECT_FALSE(read_evidence(json::serialize(other)));
}

}  // namespace
}  // namespace zkv::gateway::passkey
