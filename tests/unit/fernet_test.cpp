// Fernet against the vectors of its specification in tests/vectors/fernet/.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "base/encoding.h"
#include "base/file.h"
#include "crypto/fernet.h"
#include "crypto/random.h"

namespace zkv::crypto {
namespace {

namespace json = boost::json;

json::array vectors(const std::string& name) {
  const auto file = read_file(std::string(ZKV_VECTORS) + "/fernet/" + name, 100'000).value();
  return json::parse(std::string(file.begin(), file.end())).as_array();
}

std::string member(const json::value& vector, const char* name) {
  return vector.at(name).as_string().c_str();
}

SecretBytes key_of(const json::value& vector) {
  return fernet_key_from_text(member(vector, "secret")).value();
}

/// 1985-10-26T01:20:00-07:00, the time of the specification's vectors.
constexpr Time kThen{std::chrono::seconds(499'162'800)};

TEST(FernetVectors, AreMadeAsTheSpecificationMakesThem) {
  const auto all = vectors("generate.json");
  ASSERT_FALSE(all.empty());
  for (const auto& vector : all) {
    std::array<std::uint8_t, 16> iv{};
    const auto& numbers = vector.at("iv").as_array();
    std::transform(numbers.begin(), numbers.end(), iv.begin(),
                   [](const json::value& number) { return static_cast<std::uint8_t>(number.as_int64()); });
    EXPECT_EQ(fernet_seal(key_of(vector).span(), bytes_of(member(vector, "src")), kThen, iv),
              member(vector, "token"));
  }
}

TEST(FernetVectors, OpenToTheirSource) {
  const auto all = vectors("verify.json");
  ASSERT_FALSE(all.empty());
  for (const auto& vector : all) {
    const auto message = fernet_open(key_of(vector).span(), member(vector, "token"));
    ASSERT_TRUE(message);
    EXPECT_EQ(message->plaintext.view(), member(vector, "src"));
    EXPECT_EQ(message->made, kThen);
  }
}

class InvalidFernetVector : public testing::TestWithParam<std::string> {
 protected:
  static Result<FernetMessage> opened() {
    for (const auto& vector : vectors("invalid.json")) {
      if (member(vector, "desc") == GetParam()) {
        return fernet_open(key_of(vector).span(), member(vector, "token"));
      }
    }
    return Error::internal("no such vector");
  }
};

class RefusedFernetVector : public InvalidFernetVector {};
class OutdatedFernetVector : public InvalidFernetVector {};

TEST_P(RefusedFernetVector, DoesNotOpen) {
  const auto message = opened();
  ASSERT_FALSE(message);
  EXPECT_THAT(message.error().kind(), testing::AnyOf(ErrorKind::kCorrupt, ErrorKind::kWrongKey));
}

TEST_P(OutdatedFernetVector, OpensAndTellsItsTime) {
  const auto message = opened();
  ASSERT_TRUE(message);
  EXPECT_GE(message->made, kThen);
}

INSTANTIATE_TEST_SUITE_P(Specification, RefusedFernetVector,
                         testing::Values("incorrect mac", "too short", "invalid base64",
                                         "payload size not multiple of block size", "payload padding error",
                                         "incorrect IV (causes padding error)",
                                         "trailing characters after b64 padding", "invalid characters in b64",
                                         "invalid non-urlsafe characters in b64"));
INSTANTIATE_TEST_SUITE_P(Specification, OutdatedFernetVector,
                         testing::Values("far-future TS (unacceptable clock skew)", "expired TTL"));

TEST(Fernet, EveryVectorOfTheFileIsTried) { EXPECT_EQ(vectors("invalid.json").size(), 9U + 2U); }

TEST(Fernet, AnyLengthComesBackAsItWas) {
  const auto key = random_secret(kFernetKeySize);
  for (std::size_t size = 0; size < 70; ++size) {
    const auto plaintext = random_secret(size);
    const auto message = fernet_open(key.span(), fernet_seal(key.span(), plaintext.span(), kThen));
    ASSERT_TRUE(message) << size;
    EXPECT_TRUE(equal_in_constant_time(message->plaintext.span(), plaintext.span())) << size;
  }
}

TEST(Fernet, TwoTokensOfTheSameTextDiffer) {
  const auto key = random_secret(kFernetKeySize);
  EXPECT_NE(fernet_seal(key.span(), bytes_of("a"), kThen), fernet_seal(key.span(), bytes_of("a"), kThen));
}

TEST(Fernet, AChangedCharacterAnywhereOpensNothing) {
  const auto key = random_secret(kFernetKeySize);
  const std::string token = fernet_seal(key.span(), bytes_of("secret"), kThen);
  for (std::size_t place = 0; place < token.size(); ++place) {
    std::string changed = token;
    changed[place] = changed[place] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(fernet_open(key.span(), changed)) << place;
    EXPECT_FALSE(fernet_open(key.span(), token.substr(0, place))) << place;
  }
}

TEST(Fernet, AnotherKeyIsToldApartFromDamage) {
  const std::string token = fernet_seal(random_secret(kFernetKeySize).span(), bytes_of("a"), kThen);
  const auto key = random_secret(kFernetKeySize);
  EXPECT_EQ(fernet_open(key.span(), token).error().kind(), ErrorKind::kWrongKey);
  EXPECT_EQ(fernet_open(key.span(), "hello").error().kind(), ErrorKind::kCorrupt);
}

TEST(FernetKey, GoesToTextAndBack) {
  const auto key = random_secret(kFernetKeySize);
  const auto text = fernet_key_to_text(key.span());
  EXPECT_EQ(text.size(), kFernetKeyTextSize);
  EXPECT_TRUE(equal_in_constant_time(fernet_key_from_text(text.view())->span(), key.span()));
}

TEST(FernetKey, OfAnotherShapeIsRefused) {
  EXPECT_EQ(fernet_key_from_text("").error().kind(), ErrorKind::kInvalid);
  EXPECT_EQ(fernet_key_from_text("cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4").error().kind(),
            ErrorKind::kInvalid);
  EXPECT_EQ(fernet_key_from_text("cw/0x689RpI+jtRR7oE8h/eQsKImvJapLeSbXpwF4e4=").error().kind(),
            ErrorKind::kInvalid);
  EXPECT_EQ(fernet_key_from_text(std::string(40, 'A') + "AA==").error().kind(), ErrorKind::kInvalid);
}

}  // namespace
}  // namespace zkv::crypto
