// What an attacker, a broken browser or a broken authenticator may send: each check violated once, each byte
// changed once, each length cut once.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "gateway/passkey/cbor.h"
#include "gateway/passkey/cose_key.h"
#include "gateway/passkey/parts.h"
#include "gateway/passkey/passkey.h"
#include "passkey_world.h"
#include "software_authenticator.h"

namespace zkv::gateway::passkey {
namespace {

using test::bytes;
using test::Ceremony;
using test::home;
using test::kChallenge;
using test::KeyKind;
using test::refusal;
using test::SoftwareAuthenticator;
using testing::HasSubstr;

Expectation expected() { return {kChallenge, home()}; }

// --- one thing wrong, in both ceremonies ---

struct Wrong {
  const char* name;
  Ceremony ceremony;
  const char* complaint;
};
std::ostream& operator<<(std::ostream& out, const Wrong& wrong) { return out << wrong.name; }

class OneThingWrong : public testing::TestWithParam<Wrong> {};

INSTANTIATE_TEST_SUITE_P(
    Passkey, OneThingWrong,
    testing::Values(
        Wrong{"Origin", {.origin = "https://evil.example"}, "another site"},
        Wrong{"SubOrigin", {.origin = "https://a.gateway.example"}, "another site"},
        Wrong{"LongerOrigin", {.origin = "https://gateway.example.evil"}, "another site"},
        Wrong{"PlainOrigin", {.origin = "http://gateway.example"}, "another site"},
        Wrong{"PortOfOrigin", {.origin = "https://gateway.example:8443"}, "another site"},
        Wrong{"SlashedOrigin", {.origin = "https://gateway.example/"}, "another site"},
        Wrong{"CapitalOrigin", {.origin = "https://GATEWAY.example"}, "another site"},
        Wrong{"NoOrigin", {.origin = ""}, "another site"},
        Wrong{"RelyingParty", {.rp_id = "evil.example"}, "is not for gateway.example"},
        Wrong{"ParentRelyingParty", {.rp_id = "example"}, "is not for gateway.example"},
        Wrong{"Frame", {.more_members = R"(,"crossOrigin":true)"}, "frame"},
        Wrong{"FrameAsText", {.more_members = R"(,"crossOrigin":"false")"}, "neither true nor false"},
        Wrong{"TopOrigin",
              {.more_members = R"(,"crossOrigin":false,"topOrigin":"https://evil.example")"},
              "frame"},
        Wrong{"Type", {.type = "payment.get"}, "is not of the type"},
        Wrong{"Json", {.more_members = ","}, "not a JSON object"},
        Wrong{"Nobody", {.flags = test::kUserVerified | test::kBackupEligible}, "without anybody"},
        Wrong{"Anybody", {.flags = test::kUserPresent | test::kBackupEligible}, "who you are"},
        Wrong{"BackupFlags",
              {.flags = test::kUserPresent | test::kUserVerified | test::kBackedUp},
              "that it cannot be"},
        Wrong{"ExtensionsFlag",
              {.flags = test::kUserPresent | test::kUserVerified | test::kHasExtensions},
              "cut off"},
        Wrong{"Extensions", {.extensions = {0x80}}, "no map"},
        Wrong{"PastExtensions", {.extensions = {0xa0, 0x00}}, "past its end"}),
    [](const auto& wrong) { return wrong.param.name; });

TEST_P(OneThingWrong, IsNotRegistered) {
  const auto result =
      verify_registration(SoftwareAuthenticator().create(kChallenge, GetParam().ceremony), expected());
  ASSERT_FALSE(result.has_value());
  EXPECT_THAT(refusal(result).message(), HasSubstr(GetParam().complaint));
}

TEST_P(OneThingWrong, IsNotTakenForAnAnswer) {
  SoftwareAuthenticator authenticator;
  const auto known = authenticator.credential();
  const auto result = verify_assertion(authenticator.get(kChallenge, GetParam().ceremony), known, expected());
  ASSERT_FALSE(result.has_value());
  EXPECT_THAT(refusal(result).message(), HasSubstr(GetParam().complaint));
}

// --- registrations ---

Result<Credential> registered(const Ceremony& ceremony, KeyKind kind = KeyKind::kP256) {
  return verify_registration(SoftwareAuthenticator(kind).create(kChallenge, ceremony), expected());
}
Result<Credential> registered_with_key(const Bytes& cose_key) { return registered({.public_key = cose_key}); }
/// The authenticator's key with the byte at `where` changed.
Bytes key_with(std::size_t where, std::uint8_t byte, KeyKind kind = KeyKind::kP256) {
  auto key = SoftwareAuthenticator(kind).cose_key();
  key.at(where) = byte;
  return key;
}

TEST(PasskeyRegistration, ToAnotherChallengeIsRefused) {
  const auto response = SoftwareAuthenticator().create({9});
  EXPECT_EQ(refusal(verify_registration(response, expected())).kind(), ErrorKind::kDenied);
}
TEST(PasskeyRegistration, MadeOfAnAssertionIsRefused) {
  EXPECT_EQ(refusal(registered({.type = "webauthn.get"})).kind(), ErrorKind::kDenied);
}
TEST(PasskeyRegistration, UnderAnotherIdIsRefused) {
  EXPECT_EQ(refusal(registered({.id = Bytes{1, 2}})).kind(), ErrorKind::kDenied);
}
TEST(PasskeyRegistration, WithAnIdOf1024BytesIsRefused) {
  EXPECT_THAT(refusal(registered({.id = Bytes(1024)})).message(), HasSubstr("1 to 1023"));
}
TEST(PasskeyRegistration, WithoutAnIdIsRefused) {
  EXPECT_THAT(refusal(registered({.id = Bytes()})).message(), HasSubstr("1 to 1023"));
}
TEST(PasskeyRegistration, OfFormatNoneWithAStatementIsRefused) {
  EXPECT_THAT(refusal(registered({.statement = test::cbor_map_of("sig", true)})).message(),
              HasSubstr("statement"));
}
TEST(PasskeyRegistration, WithAStatementThatIsNoStatementIsRefused) {
  EXPECT_THAT(refusal(registered({.format = "packed", .statement = {0x01}})).message(), HasSubstr("attStmt"));
}
TEST(PasskeyRegistration, OfAFormatWithAStrangeNameIsRefused) {
  EXPECT_THAT(refusal(registered({.format = "\x1b[2J"})).message(), HasSubstr("fmt"));
  EXPECT_THAT(refusal(registered({.format = std::string(33, 'f')})).message(), HasSubstr("fmt"));
}
TEST(PasskeyRegistration, WithAnRsaKeyOf1024BitsIsRefused) {
  EXPECT_THAT(refusal(registered({}, KeyKind::kRsa1024)).message(), HasSubstr("2048 to 4096"));
}
TEST(PasskeyRegistration, WithAnRsaKeyOfMoreThan4096BitsIsRefused) {
  auto key = bytes("a401030339010020590201");
  key.insert(key.end(), 513, 0xff);
  key.insert(key.end(), {0x21, 0x43, 0x01, 0x00, 0x01});
  EXPECT_THAT(refusal(registered_with_key(key)).message(), HasSubstr("2048 to 4096"));
}
TEST(PasskeyRegistration, WithAnEvenModulusIsRefused) {
  const auto key = SoftwareAuthenticator(KeyKind::kRsa2048).cose_key();
  const auto last_of_modulus = key.size() - 6;  // before the label, the length and the bytes of the exponent
  auto even = key;
  even.at(last_of_modulus) &= 0xfe;
  EXPECT_THAT(refusal(registered_with_key(even)).message(), HasSubstr("no RSA key"));
}
TEST(PasskeyRegistration, WithAnotherExponentIsRefused) {
  auto key = SoftwareAuthenticator(KeyKind::kRsa2048).cose_key();
  key.back() = 3;
  EXPECT_THAT(refusal(registered_with_key(key)).message(), HasSubstr("65537"));
}
TEST(PasskeyRegistration, WithAPointOffTheCurveIsRefused) {
  auto key = SoftwareAuthenticator().cose_key();
  key.back() ^= 1;
  EXPECT_THAT(refusal(registered_with_key(key)).message(), HasSubstr("no point of P-256"));
}
TEST(PasskeyRegistration, WithAShortCoordinateIsRefused) {
  EXPECT_FALSE(
      registered_with_key(bytes("a501020326200121420000224200"
                                "00")));
}
TEST(PasskeyRegistration, WithACompressedPointIsRefused) {
  auto key = SoftwareAuthenticator().cose_key();
  key.resize(key.size() - 34);
  key.push_back(0xf5);  // y: true
  EXPECT_FALSE(registered_with_key(key));
}
TEST(PasskeyRegistration, WithAnAlgorithmThatIsNotTakenIsRefused) {
  EXPECT_EQ(refusal(registered_with_key(key_with(4, 0x27))).kind(),
            ErrorKind::kUnsupported);  // EdDSA on P-256
  EXPECT_EQ(refusal(registered_with_key(key_with(6, 0x02))).kind(),
            ErrorKind::kUnsupported);  // ES256 on P-384
  EXPECT_EQ(refusal(registered_with_key(key_with(2, 0x01))).kind(), ErrorKind::kUnsupported);  // OKP
  EXPECT_EQ(refusal(registered_with_key(key_with(6, 0x07, KeyKind::kEd25519))).kind(),
            ErrorKind::kUnsupported);  // Ed448
}
TEST(PasskeyRegistration, WithAPrivateKeyInItIsRefused) {
  auto key = SoftwareAuthenticator(KeyKind::kEd25519).cose_key();
  key.front() = 0xa5;
  key.insert(key.end(), {0x23, 0x41, 0x00});
  EXPECT_FALSE(registered_with_key(key));
}

// --- attestation objects, byte by byte ---

TEST(AttestationObject, CutAnywhereIsRefused) {
  const auto whole = SoftwareAuthenticator().create(kChallenge).attestation_object;
  ASSERT_TRUE(parse_attestation_object(whole));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(parse_attestation_object(std::span(whole).first(size))) << size;
  }
}

TEST(AttestationObject, WithBytesBehindItIsRefused) {
  auto longer = SoftwareAuthenticator().create(kChallenge).attestation_object;
  longer.push_back(0);
  EXPECT_FALSE(parse_attestation_object(longer));
}

TEST(AttestationObject, LongerThanTheLimitIsRefused) {
  EXPECT_FALSE(parse_attestation_object(Bytes(kLargestAttestationObject + 1, 0xa3)));
}

TEST(AttestationObject, ChangedAtRandomNeverDoesMoreThanFail) {
  const auto whole = SoftwareAuthenticator().create(kChallenge).attestation_object;
  std::mt19937 random(1);  // NOLINT(cert-msc51-cpp): the same each time
  for (int round = 0; round < 20'000; ++round) {
    auto changed = whole;
    for (int i = 0; i < 3; ++i) changed.at(random() % changed.size()) = static_cast<std::uint8_t>(random());
    const auto object = parse_attestation_object(changed);
    if (object && object->authenticator_data.credential) {
      (void)public_key_from_cose(object->authenticator_data.credential->public_key);
    }
  }
}

TEST(AttestationObject, WithAFourthEntryIsRefused) {
  auto object = SoftwareAuthenticator().create(kChallenge).attestation_object;
  object.front() = 0xa4;
  object.insert(object.end(), {0x01, 0x01});
  EXPECT_FALSE(parse_attestation_object(object));
}

// --- CBOR ---

bool is_cbor(std::string_view hex) { return read_cbor(bytes(hex)).has_value(); }

TEST(Cbor, IsReadInEachKindThatIsTaken) {
  const auto input = bytes(
      "a7"
      "01"
      "17"
      "20"
      "3903e7"
      "6161"
      "f6"
      "6162"
      "83f4f51b7fffffffffffffff"
      "02"
      "4100"
      "03"
      "6178"
      "04"
      "a0");
  const auto read = read_cbor(input);
  ASSERT_TRUE(read.has_value()) << read.error().message();
  EXPECT_EQ(read->size, input.size());
  const auto& map = *read->value.as<CborMap>();
  EXPECT_EQ(*map.find(std::int64_t{1})->as<std::int64_t>(), 23);
  EXPECT_EQ(*map.find(std::int64_t{-1})->as<std::int64_t>(), -1000);
  EXPECT_NE(map.find("a")->as<std::monostate>(), nullptr);
  EXPECT_EQ(*map.find("b")->as<CborArray>()->values.at(2).as<std::int64_t>(), INT64_MAX);
  EXPECT_EQ(*map.find(std::int64_t{3})->as<std::string_view>(), "x");
  EXPECT_EQ(map.find("c"), nullptr);
}

TEST(Cbor, OfHugeLengthsIsRefusedAtOnce) {
  EXPECT_FALSE(is_cbor("5bffffffffffffffff"));  // bytes
  EXPECT_FALSE(is_cbor("7b7fffffffffffffff"));  // text
  EXPECT_FALSE(is_cbor("9bffffffffffffffff"));  // list
  EXPECT_FALSE(is_cbor("bbffffffffffffffff"));  // map
  EXPECT_FALSE(is_cbor("9a00ffffff"));
  EXPECT_FALSE(is_cbor("990101"));
}
TEST(Cbor, NestedTooDeeplyIsRefused) {
  EXPECT_TRUE(is_cbor("8181818181818180"));
  EXPECT_FALSE(is_cbor("818181818181818180"));
  EXPECT_FALSE(read_cbor(Bytes(16'000, 0x81)));
  EXPECT_FALSE(is_cbor("a101a101a101a101a101a101a101a101a0"));
}
TEST(Cbor, OfIndefiniteLengthIsRefused) {
  EXPECT_FALSE(is_cbor("5f4100ff"));
  EXPECT_FALSE(is_cbor("7f6161ff"));
  EXPECT_FALSE(is_cbor("9fff"));
  EXPECT_FALSE(is_cbor("bfff"));
  EXPECT_FALSE(is_cbor("ff"));
}
TEST(Cbor, OfKindsThatDoNotBelongHereIsRefused) {
  EXPECT_FALSE(is_cbor("c000"));                // a tag
  EXPECT_FALSE(is_cbor("f93c00"));              // floats
  EXPECT_FALSE(is_cbor("fa3f800000"));          //
  EXPECT_FALSE(is_cbor("fb3ff0000000000000"));  //
  EXPECT_FALSE(is_cbor("f7"));                  // undefined
  EXPECT_FALSE(is_cbor("1bffffffffffffffff"));  // past 63 bits
  EXPECT_FALSE(is_cbor("3bffffffffffffffff"));  //
  EXPECT_FALSE(is_cbor("1c"));                  // reserved
}
TEST(Cbor, WithAKeyTwiceOrOfAnotherKindIsRefused) {
  EXPECT_FALSE(is_cbor("a201000100"));
  EXPECT_FALSE(is_cbor("a20100180100"));  // 1, and 1 in two bytes
  EXPECT_FALSE(is_cbor("a2616100616100"));
  EXPECT_FALSE(is_cbor("a1410000"));
  EXPECT_FALSE(is_cbor("a1a000"));
}

// --- assertions ---

struct Answer : testing::Test {
  SoftwareAuthenticator authenticator;
  Credential known = authenticator.credential();

  [[nodiscard]] Result<Verdict> taken(const Assertion& answer) const {
    return verify_assertion(answer, known, expected());
  }
};

TEST_F(Answer, ToAnotherChallengeIsRefused) {
  EXPECT_EQ(refusal(taken(authenticator.get({9}))).kind(), ErrorKind::kDenied);
}
TEST_F(Answer, MadeOfARegistrationIsRefused) {
  EXPECT_EQ(refusal(taken(authenticator.get(kChallenge, {.type = "webauthn.create"}))).kind(),
            ErrorKind::kDenied);
}
TEST_F(Answer, OfAnotherPasskeyIsRefused) {
  EXPECT_EQ(refusal(taken(SoftwareAuthenticator().get(kChallenge))).kind(), ErrorKind::kDenied);
}
TEST_F(Answer, OfThisKeyUnderAnotherIdIsRefused) {
  auto answer = authenticator.get(kChallenge);
  answer.id.back() ^= 1;
  EXPECT_THAT(refusal(taken(answer)).message(), HasSubstr("of another passkey"));
}
TEST_F(Answer, OfAnotherKeyUnderThisIdIsRefused) {
  auto answer = SoftwareAuthenticator().get(kChallenge);
  answer.id = known.id;
  EXPECT_THAT(refusal(taken(answer)).message(), HasSubstr("signature"));
}
TEST_F(Answer, OfAnotherKindOfKeyUnderThisIdIsRefused) {
  auto answer = SoftwareAuthenticator(KeyKind::kEd25519).get(kChallenge);
  answer.id = known.id;
  EXPECT_THAT(refusal(taken(answer)).message(), HasSubstr("signature"));
}
TEST_F(Answer, WithOtherBackupEligibilityThanRegisteredIsRefused) {
  known.backup_eligible = false;
  EXPECT_EQ(refusal(taken(authenticator.get(kChallenge))).kind(), ErrorKind::kDenied);
}
TEST_F(Answer, WithoutASignatureIsRefused) {
  auto answer = authenticator.get(kChallenge);
  answer.signature.clear();
  EXPECT_EQ(refusal(taken(answer)).kind(), ErrorKind::kDenied);
}
TEST_F(Answer, WithAZeroSignatureIsRefused) {
  auto answer = authenticator.get(kChallenge);
  answer.signature = bytes("3006020100020100");
  EXPECT_EQ(refusal(taken(answer)).kind(), ErrorKind::kDenied);
}
TEST_F(Answer, WithBytesBehindItsSignatureIsRefused) {
  auto answer = authenticator.get(kChallenge);
  answer.signature.push_back(0);
  EXPECT_EQ(refusal(taken(answer)).kind(), ErrorKind::kDenied);
}
TEST_F(Answer, WithACredentialInItIsRefused) {
  auto answer = authenticator.get(kChallenge);
  const auto object = authenticator.create(kChallenge).attestation_object;
  answer.authenticator_data.assign(object.end() - 164, object.end());
  EXPECT_THAT(refusal(taken(answer)).message(), HasSubstr("that of a registration"));
}
TEST_F(Answer, ThatIsForgedDoesNotEndThePasskeyByItsCounter) {
  known.counter = 1'000;
  auto answer = SoftwareAuthenticator().get(kChallenge, {.counter = 1});
  answer.id = known.id;
  const auto refused = taken(answer);
  ASSERT_FALSE(refused.has_value());
  EXPECT_FALSE(is_cloned(refusal(refused)));
}
TEST_F(Answer, WithEndlessClientDataIsRefused) {
  const Ceremony endless{.more_members = ",\"x\":\"" + std::string(kLargestClientData, 'x') + "\""};
  EXPECT_EQ(refusal(taken(authenticator.get(kChallenge, endless))).kind(), ErrorKind::kInvalid);
}
TEST_F(Answer, WithDeepClientDataIsRefused) {
  const Ceremony deep{.more_members = ",\"x\":" + std::string(1'000, '[') + std::string(1'000, ']')};
  EXPECT_EQ(refusal(taken(authenticator.get(kChallenge, deep))).kind(), ErrorKind::kInvalid);
}

// --- every bit ---

/// How many bits of `part` of the answer could be turned without anybody seeing it.
std::size_t bits_that_do_not_count(const Credential& known, Assertion answer, Bytes Assertion::*part) {
  std::size_t unseen = 0;
  for (std::size_t i = 0; i < 8 * (answer.*part).size(); ++i) {
    const auto bit = static_cast<std::uint8_t>(1U << (i % 8));
    (answer.*part)[i / 8] ^= bit;
    if (verify_assertion(answer, known, expected())) ++unseen;
    (answer.*part)[i / 8] ^= bit;
  }
  return unseen;
}

class EveryBit : public testing::TestWithParam<KeyKind> {};
INSTANTIATE_TEST_SUITE_P(Passkey, EveryBit,
                         testing::Values(KeyKind::kP256, KeyKind::kEd25519, KeyKind::kRsa2048));

TEST_P(EveryBit, OfAnAnswerCounts) {
  SoftwareAuthenticator authenticator(GetParam());
  const auto known = authenticator.credential();
  const auto answer = authenticator.get(kChallenge);
  ASSERT_TRUE(verify_assertion(answer, known, expected()));
  EXPECT_EQ(bits_that_do_not_count(known, answer, &Assertion::authenticator_data), 0U);
  EXPECT_EQ(bits_that_do_not_count(known, answer, &Assertion::client_data_json), 0U);
  EXPECT_EQ(bits_that_do_not_count(known, answer, &Assertion::signature), 0U);
  EXPECT_EQ(bits_that_do_not_count(known, answer, &Assertion::id), 0U);
}

}  // namespace
}  // namespace zkv::gateway::passkey
