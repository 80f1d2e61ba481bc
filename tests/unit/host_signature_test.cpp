// What hosts sign, with the keys of either kind: tests/vectors/protocol/, which an independent implementation
// made, and what attackers make of it.
#include "gateway/signature/host_signature.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "base/file.h"

namespace zkv::gateway {
namespace {

namespace json = boost::json;
using testing::HasSubstr;

json::array p256_vectors() {
  const auto file = read_file(std::string(ZKV_VECTORS) + "/protocol/v2.json", 100'000).value();
  return json::parse(std::string(file.begin(), file.end())).at("p256").as_array();
}

std::string text(const json::value& vector, const char* name) {
  return json::value_to<std::string>(vector.at(name));
}

protocol::HostIdentity identity_of(const json::value& vector) {
  return protocol::read_jwk(protocol::Members(vector.at("jwk").as_object())).value();
}

bool is_taken(const json::value& vector) {
  const auto identity = identity_of(vector);
  const auto envelope = protocol::parse_envelope(text(vector, "json")).value();
  return check_host_signature(envelope, text(vector, "type"), identity).has_value();
}

TEST(P256Vectors, AreTakenOrRefusedAsTheyShouldBe) {
  for (const auto& vector : p256_vectors()) {
    EXPECT_EQ(is_taken(vector), vector.at("taken").as_bool()) << text(vector, "what");
  }
}

TEST(P256Vectors, HaveTheIdAndTheHashThatTheyName) {
  for (const auto& vector : p256_vectors()) {
    const auto envelope = protocol::parse_envelope(text(vector, "json")).value();
    EXPECT_EQ(to_hex(protocol::key_id(identity_of(vector))), text(vector, "id"));
    EXPECT_EQ(to_hex(protocol::hash_of(envelope)), text(vector, "hash"));
    EXPECT_EQ(json::value(protocol::to_jwk(identity_of(vector))), vector.at("jwk"));
  }
}

TEST(P256Vectors, ASecondSignatureThatFitsIsTheSameMessage) {
  const auto vectors = p256_vectors();
  ASSERT_EQ(text(vectors[1], "what"), "signed, with s as n - s");
  EXPECT_NE(text(vectors[0], "json"), text(vectors[1], "json"));
  EXPECT_EQ(text(vectors[0], "hash"), text(vectors[1], "hash"));
}

TEST(P256Identities, OffTheCurveAreRefusedAtEnrolment) {
  for (const auto& vector : p256_vectors()) {
    const auto what = text(vector, "what");
    const bool is_off = what == "a point off the curve" || what == "the point of zeros" ||
                        what == "a coordinate beyond the field" ||
                        what == "an Ed25519 key that is called P-256";
    const auto checked = check_identity(identity_of(vector));
    EXPECT_EQ(checked.has_value(), !is_off) << what;
    EXPECT_THAT(checked ? "no point of P-256" : checked.error().message(), HasSubstr("no point of P-256"));
  }
}

TEST(P256Identities, TakeNoBitOfASignatureChanged) {
  const auto vector = p256_vectors().front();
  const auto identity = identity_of(vector);
  const auto envelope = protocol::parse_envelope(text(vector, "json")).value();
  for (std::size_t bit = 0; bit < 8 * envelope.signature.size(); ++bit) {
    auto changed = envelope;
    changed.signature[bit / 8] = static_cast<std::uint8_t>(changed.signature[bit / 8] ^ 1U << bit % 8);
    EXPECT_FALSE(check_host_signature(changed, envelope.type, identity)) << bit;
  }
}

TEST(P256Identities, AreNeverMistakenForEd25519) {
  const auto key = crypto::SigningKey::make();
  const auto envelope = protocol::sign("type", "body", key);
  EXPECT_TRUE(check_host_signature(envelope, "type", key.verifying_key()));
  const protocol::HostIdentity claimed = protocol::p256_key(key.verifying_key(), key.verifying_key());
  EXPECT_FALSE(check_host_signature(envelope, "type", claimed));
  auto renamed = envelope;
  renamed.signer = protocol::key_id(claimed);
  EXPECT_FALSE(check_host_signature(renamed, "type", claimed));
}

TEST(HostIdentities, OfOneTypeAreNotTakenForAnother) {
  const auto vector = p256_vectors().front();
  const auto envelope = protocol::parse_envelope(text(vector, "json")).value();
  EXPECT_FALSE(check_host_signature(envelope, "application/vnd.zkv.word+json", identity_of(vector)));
}

TEST(HostIdentities, GoToBytesAndBack) {
  const protocol::HostIdentity ed25519 = crypto::SigningKey::make().verifying_key();
  const auto p256 = identity_of(p256_vectors().front());
  EXPECT_EQ(protocol::identity_from(protocol::public_bytes(ed25519)).value(), ed25519);
  EXPECT_EQ(protocol::identity_from(protocol::public_bytes(p256)).value(), p256);
  for (const std::size_t size : {0U, 31U, 33U, 64U, 65U, 66U}) {
    EXPECT_FALSE(protocol::identity_from(Bytes(size))) << size;
  }
}

TEST(HostIdentities, WithAMemberThatIsMissingOrOfAnotherSizeAreRefused) {
  const auto why = [](const json::object& jwk) {
    return protocol::read_jwk(protocol::Members(jwk)).error().message();
  };
  const auto whole = p256_vectors().front().at("jwk").as_object();
  for (const auto* name : {"x", "y"}) {
    auto changed = whole;
    changed.erase(name);
    EXPECT_THAT(why(changed), HasSubstr("'" + std::string(name) + "'"));
    for (const std::size_t size : {0U, 31U, 33U, 65U}) {
      changed[name] = to_base64(Bytes(size, 1), Base64::kUrlNoPadding);
      EXPECT_THAT(why(changed), HasSubstr("'" + std::string(name) + "'")) << size;
    }
  }
  auto mixed = whole;
  mixed["kty"] = "OKP";
  EXPECT_THAT(why(mixed), HasSubstr("OKP P-256"));
  mixed["kty"] = "EC";
  mixed["crv"] = "Ed25519";
  EXPECT_THAT(why(mixed), HasSubstr("EC Ed25519"));
}

}  // namespace
}  // namespace zkv::gateway
