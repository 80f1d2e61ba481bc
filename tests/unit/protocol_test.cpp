// Envelopes, signatures and sealed boxes of version 2, against tests/vectors/protocol/, which an independent
// implementation made, and against those who change them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "base/file.h"
#include "crypto/sealed_box.h"
#include "protocol/envelope.h"
#include "protocol/json_members.h"

namespace zkv::protocol {
namespace {

namespace json = boost::json;
using testing::HasSubstr;

json::array vectors(const char* kind) {
  const auto file = read_file(std::string(ZKV_VECTORS) + "/protocol/v2.json", 100'000).value();
  return json::parse(std::string(file.begin(), file.end())).at(kind).as_array();
}

std::string text(const json::value& vector, const char* name) {
  return json::value_to<std::string>(vector.at(name));
}
SecretBytes secret(const json::value& vector, const char* name) {
  return from_hex_secret(text(vector, name)).value();
}

crypto::SigningKey key_of(const json::value& vector) {
  return crypto::SigningKey::from_seed(secret(vector, "seed")).value();
}

constexpr std::string_view kType = "application/vnd.zkv.word+json";

class Envelopes : public testing::Test {
 protected:
  crypto::SigningKey key_ = crypto::SigningKey::make();
  Envelope envelope_ = sign(kType, R"({"word":"cancel"})", key_);

  Result<> check(const Envelope& envelope) { return check_signature(envelope, kType, key_.verifying_key()); }
};

TEST(Vectors, EnvelopesAreSignedAsAnotherImplementationSignsThem) {
  for (const auto& vector : vectors("envelopes")) {
    const auto key = key_of(vector);
    const auto envelope = sign(text(vector, "type"), text(vector, "body"), key);
    EXPECT_EQ(to_hex(key.verifying_key()), text(vector, "public"));
    EXPECT_EQ(to_hex(hash_of(envelope)), text(vector, "hash"));
    EXPECT_EQ(to_json(envelope), text(vector, "json"));
  }
}

TEST(Vectors, EnvelopesOfAnotherImplementationAreRead) {
  for (const auto& vector : vectors("envelopes")) {
    const auto envelope = parse_envelope(text(vector, "json")).value();
    EXPECT_TRUE(check_signature(envelope, text(vector, "type"), key_of(vector).verifying_key()));
    EXPECT_EQ(std::string(envelope.body.begin(), envelope.body.end()), text(vector, "body"));
  }
}

TEST(Vectors, BoxesOfAnotherImplementationAreOpened) {
  for (const auto& vector : vectors("boxes")) {
    const auto key = crypto::BoxKey::from_secret(secret(vector, "secret")).value();
    EXPECT_EQ(to_hex(key.public_key()), text(vector, "public"));
    const auto sealed = from_base64(text(vector, "sealed"), Base64::kUrlNoPadding).value();
    EXPECT_EQ(to_hex(key.open(sealed).value().span()), text(vector, "plaintext"));
  }
}

TEST_F(Envelopes, GoToJsonAndBack) {
  const auto back = parse_envelope(to_json(envelope_)).value();
  EXPECT_TRUE(check(back));
  EXPECT_EQ(back.body, envelope_.body);
  EXPECT_EQ(hash_of(back), hash_of(envelope_));
}

TEST_F(Envelopes, WithAnyBitOfTheBodyChangedAreRefused) {
  for (std::size_t bit = 0; bit < 8 * envelope_.body.size(); ++bit) {
    Envelope changed = envelope_;
    changed.body[bit / 8] = static_cast<std::uint8_t>(changed.body[bit / 8] ^ 1U << bit % 8);
    EXPECT_EQ(check(changed).error().kind(), ErrorKind::kDenied) << bit;
  }
}

TEST_F(Envelopes, WithAnyBitOfTheSignatureChangedAreRefused) {
  for (std::size_t bit = 0; bit < 8 * envelope_.signature.size(); ++bit) {
    Envelope changed = envelope_;
    changed.signature[bit / 8] = static_cast<std::uint8_t>(changed.signature[bit / 8] ^ 1U << bit % 8);
    EXPECT_EQ(check(changed).error().kind(), ErrorKind::kDenied) << bit;
  }
}

TEST_F(Envelopes, OfAnotherSignerAreRefusedWhateverTheyCallThemselves) {
  const auto other = crypto::SigningKey::make();
  Envelope forged = sign(kType, R"({"word":"cancel"})", other);
  EXPECT_THAT(check(forged).error().message(), HasSubstr("not the expected one"));
  forged.signer = key_id(key_.verifying_key());
  EXPECT_THAT(check(forged).error().message(), HasSubstr("does not fit"));
}

TEST_F(Envelopes, OfOneTypeAreNeverTakenForAnother) {
  Envelope relabelled = envelope_;
  relabelled.type = "application/vnd.zkv.release+json";
  EXPECT_FALSE(check(relabelled));
  EXPECT_FALSE(check_signature(relabelled, relabelled.type, key_.verifying_key()));
}

TEST_F(Envelopes, ThatMoveBytesBetweenTypeAndBodyHaveAnotherHash) {
  const auto one = sign("ab", "c", key_);
  const auto other = sign("a", "bc", key_);
  EXPECT_NE(hash_of(one), hash_of(other));
}

TEST(MisshapenEnvelopes, AreRefusedWithTheNameOfWhatIsWrong) {
  const auto why = [](std::string_view json) { return parse_envelope(json).error().message(); };
  EXPECT_THAT(why(""), HasSubstr("not a JSON object"));
  EXPECT_THAT(why("[]"), HasSubstr("not a JSON object"));
  EXPECT_THAT(why("{}"), HasSubstr("payloadType"));
  EXPECT_THAT(why(R"({"payloadType":1})"), HasSubstr("payloadType"));
  EXPECT_THAT(why(R"({"payloadType":"a","payload":"%"})"), HasSubstr("'payload' is not base64"));
  EXPECT_THAT(why(R"({"payloadType":"a","payload":"","signatures":[]})"), HasSubstr("one signature"));
  EXPECT_THAT(why(R"({"payloadType":"a","payload":"","signatures":[{},{}]})"), HasSubstr("one signature"));
  EXPECT_THAT(why(R"({"payloadType":"a","payload":"","signatures":[{"keyid":"zz","sig":""}]})"),
              HasSubstr("'keyid'"));
  EXPECT_THAT(why(R"({"payloadType":"a","payload":"","signatures":[{"keyid":"00","sig":""}]})"),
              HasSubstr("32 bytes"));
  EXPECT_THAT(why(std::string(kLargestEnvelope + 1, ' ')), HasSubstr("65536 bytes"));
  EXPECT_THAT(why(std::string(10'000, '[')), HasSubstr("not a JSON object"));
}

TEST(Objects, WithTwoMembersOfOneNameAreRefusedHoweverDeep) {
  for (const std::string text : {R"({"a":1,"a":2})", R"({"a":1,"b":{"c":1,"d":2,"c":3}})", R"([0])",
                                 R"({"a":[{"b":1},{"b":1,"b":1}]})", R"({"a":1,"\u0061":2})"}) {
    EXPECT_FALSE(parse_object(text, 100)) << text;
  }
  EXPECT_TRUE(parse_object(R"({"a":{"a":1},"b":[{"a":1},{"a":2}],"A":3})", 100));
}

TEST(SigningKeys, AreTheSameAgainFromTheirSeed) {
  const auto key = crypto::SigningKey::make();
  EXPECT_EQ(crypto::SigningKey::from_seed(key.seed()).value().verifying_key(), key.verifying_key());
  EXPECT_EQ(crypto::SigningKey::from_seed(SecretBytes(31)).error().kind(), ErrorKind::kInvalid);
}

TEST(SigningKeys, OfSmallOrderVerifyNothing) {
  crypto::VerifyingKey identity{1};
  crypto::Signature signature{};
  signature[0] = 1;
  EXPECT_FALSE(crypto::verifies(identity, bytes_of("anything"), signature));
}

TEST(Boxes, OpenForTheirReceiverAlone) {
  const auto key = crypto::BoxKey::make();
  const auto sealed = crypto::seal_to(key.public_key(), bytes_of("a share")).value();
  EXPECT_EQ(key.open(sealed).value().view(), "a share");
  EXPECT_EQ(crypto::BoxKey::make().open(sealed).error().kind(), ErrorKind::kWrongKey);
}

TEST(Boxes, ChangedInAnyByteOrCutOffStayShut) {
  const auto key = crypto::BoxKey::make();
  const auto sealed = crypto::seal_to(key.public_key(), bytes_of("a share")).value();
  for (std::size_t place = 0; place < sealed.size(); ++place) {
    auto changed = sealed;
    changed[place] = static_cast<std::uint8_t>(changed[place] ^ 1U);
    EXPECT_FALSE(key.open(changed)) << place;
    EXPECT_FALSE(key.open(std::span(sealed).first(place))) << place;
  }
}

TEST(Boxes, AreNeverTheSameTwice) {
  const auto key = crypto::BoxKey::make();
  EXPECT_NE(crypto::seal_to(key.public_key(), bytes_of("a")).value(),
            crypto::seal_to(key.public_key(), bytes_of("a")).value());
}

TEST(Boxes, AreNotSealedToAKeyThatGivesTheSameSecretToEverybody) {
  EXPECT_EQ(crypto::seal_to(crypto::BoxPublicKey{}, bytes_of("a share")).error().kind(), ErrorKind::kInvalid);
}

}  // namespace
}  // namespace zkv::protocol
