// The crypto room against published vectors (RFC 2202, 4231, 5869, 6070, draft-irtf-cfrg-xchacha-03) and, for
// Argon2id without secret and with one lane, against answers of the reference implementation
// (python3-argon2).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>
#include <set>
#include <string>

#include "base/encoding.h"
#include "crypto/aead.h"
#include "crypto/hash.h"
#include "crypto/kdf.h"
#include "crypto/random.h"

namespace zkv::crypto {
namespace {

Bytes hex(std::string_view digits) { return from_hex(digits).value(); }
Bytes repeated(std::uint8_t byte, std::size_t size) { return Bytes(size, byte); }
Bytes counted(std::uint8_t first, std::size_t size) {
  Bytes bytes(size);
  std::iota(bytes.begin(), bytes.end(), first);
  return bytes;
}
std::string_view text(const Bytes& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

TEST(Hash, Sha256OfAbc) {
  EXPECT_EQ(to_hex(sha256(bytes_of("abc"))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Hash, Sha256OfNothing) {
  EXPECT_EQ(to_hex(sha256({})), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Hash, HmacSha256AnswersRfc4231Case1) {
  EXPECT_EQ(to_hex(hmac_sha256(repeated(0x0b, 20), bytes_of("Hi There"))),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
}

TEST(Hash, HmacSha256TakesAShortKey) {
  EXPECT_EQ(to_hex(hmac_sha256(bytes_of("Jefe"), bytes_of("what do ya want for nothing?"))),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST(Hash, HmacSha256HashesAKeyLongerThanItsBlock) {
  const auto mac =
      hmac_sha256(repeated(0xaa, 131), bytes_of("Test Using Larger Than Block-Size Key - Hash Key First"));
  EXPECT_EQ(to_hex(mac), "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(Hash, HmacSha1AnswersRfc2202) {
  EXPECT_EQ(to_hex(hmac_sha1(repeated(0x0b, 20), bytes_of("Hi There"))),
            "b617318655057264e28bc0b6fb378c8ef146be00");
  EXPECT_EQ(to_hex(hmac_sha1(bytes_of("Jefe"), bytes_of("what do ya want for nothing?"))),
            "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
}

TEST(Hash, HmacSha1WithAnEmptyKeyDoesNotUseTheLastOne) {
  const auto first = hmac_sha1({}, bytes_of("x"));
  ASSERT_NE(hmac_sha1(bytes_of("key"), bytes_of("x")), first);
  EXPECT_EQ(hmac_sha1({}, bytes_of("x")), first);
}

TEST(Hkdf, AnswersRfc5869Case1) {
  const auto key = hkdf_sha256(repeated(0x0b, 22), counted(0, 13), text(counted(0xf0, 10)), 42);
  EXPECT_EQ(to_hex(key.span()),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
}

TEST(Hkdf, AnswersRfc5869Case2OfSeveralBlocks) {
  const auto key = hkdf_sha256(counted(0, 80), counted(0x60, 80), text(counted(0xb0, 80)), 82);
  EXPECT_EQ(to_hex(key.span()),
            "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09"
            "da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87");
}

TEST(Hkdf, AnswersRfc5869Case3WithoutSaltAndInfo) {
  const auto key = hkdf_sha256(repeated(0x0b, 22), {}, {}, 42);
  EXPECT_EQ(to_hex(key.span()),
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

TEST(Hkdf, GivesAllOfItsLongestOutput) { EXPECT_EQ(hkdf_sha256(bytes_of("k"), {}, {}, 8160).size(), 8160U); }

TEST(Pbkdf2, AnswersRfc6070) {
  EXPECT_EQ(to_hex(pbkdf2_hmac_sha1(bytes_of("password"), bytes_of("salt"), 1, 20)->span()),
            "0c60c80f961f0e71f3a9b524af6012062fe037a6");
  EXPECT_EQ(to_hex(pbkdf2_hmac_sha1(bytes_of("password"), bytes_of("salt"), 4096, 20)->span()),
            "4b007901b765489abead49d926f721d065a429c1");
}

TEST(Pbkdf2, TakesZeroBytesAndOtherLengths) {
  using namespace std::string_view_literals;
  EXPECT_EQ(to_hex(pbkdf2_hmac_sha1(bytes_of("pass\0word"sv), bytes_of("sa\0lt"sv), 4096, 16)->span()),
            "56fa6aa75548099dcc37d7f03425e0c3");
  EXPECT_EQ(to_hex(pbkdf2_hmac_sha1(bytes_of("passwordPASSWORDpassword"),
                                    bytes_of("saltSALTsaltSALTsaltSALTsaltSALTsalt"), 4096, 25)
                       ->span()),
            "3d2eec4fe41c849b80c8d83662c0e44a8b291a964cf2f07038");
}

TEST(Pbkdf2, RefusesNoIterations) {
  EXPECT_EQ(pbkdf2_hmac_sha1(bytes_of("p"), bytes_of("s"), 0, 20).error().kind(), ErrorKind::kInvalid);
}

TEST(Argon2id, AnswersAsTheReferenceImplementation) {
  const auto key = [](std::uint32_t passes, std::uint32_t memory_kib) {
    return to_hex(
        argon2id(bytes_of("correct horse"), bytes_of("0123456789abcdef"), {passes, memory_kib})->span());
  };
  EXPECT_EQ(key(1, 64), "32364fd7ed54f4951b0d6bc3bed2f212c66235738a114c5f8ba3b6a1ee3abb10");
  EXPECT_EQ(key(3, 256), "70a144704b139ee28d6d559f94f124c6e3a6bb84912902e00437ced76f1e7751");
  EXPECT_EQ(key(2, 8192), "3bc382900be1a5086645e5643548dd6c97748cfc94980aa565eaf33e0f3fd0fb");
}

TEST(Argon2id, RefusesACostOrSaltItCannotDo) {
  const auto salt = counted(0, 16);
  EXPECT_EQ(argon2id(bytes_of("p"), salt, {0, 64}).error().kind(), ErrorKind::kInvalid);
  EXPECT_EQ(argon2id(bytes_of("p"), salt, {1, 1}).error().kind(), ErrorKind::kInvalid);
  EXPECT_EQ(argon2id(bytes_of("p"), counted(0, 15), {1, 64}).error().kind(), ErrorKind::kInvalid);
}

struct DraftVector {
  Bytes key = counted(0x80, 32);
  Bytes associated = hex("50515253c0c1c2c3c4c5c6c7");
  std::string plaintext =
      "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen "
      "would be it.";
  Bytes sealed = hex(
      "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6"
      "708c54c216cb96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff921f9664c9763"
      "7da9768812f615c68b13b52ec0875924c1c7987947deafd8780acf49");
  AeadNonce nonce{};
  DraftVector() { std::iota(nonce.begin(), nonce.end(), std::uint8_t{0x40}); }
};

TEST(Aead, SealsAsTheDraftSays) {
  const DraftVector v;
  EXPECT_EQ(seal(v.key, v.nonce, v.associated, bytes_of(v.plaintext)), v.sealed);
}

TEST(Aead, OpensWhatTheDraftSealed) {
  const DraftVector v;
  EXPECT_EQ(open(v.key, v.nonce, v.associated, v.sealed)->view(), v.plaintext);
}

TEST(Aead, AChangedBitAnywhereOpensNothing) {
  const DraftVector v;
  for (std::size_t bit = 0; bit < 8 * v.sealed.size(); ++bit) {
    Bytes changed = v.sealed;
    changed[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    EXPECT_EQ(open(v.key, v.nonce, v.associated, changed).error().kind(), ErrorKind::kWrongKey) << bit;
  }
}

TEST(Aead, OtherAssociatedDataKeyNonceOrLengthOpenNothing) {
  const DraftVector v;
  AeadNonce other_nonce = v.nonce;
  other_nonce[23] ^= 1;
  EXPECT_FALSE(open(v.key, v.nonce, {}, v.sealed));
  EXPECT_FALSE(open(counted(0x81, 32), v.nonce, v.associated, v.sealed));
  EXPECT_FALSE(open(v.key, other_nonce, v.associated, v.sealed));
  EXPECT_FALSE(open(counted(0x80, 31), v.nonce, v.associated, v.sealed));
  EXPECT_FALSE(open(v.key, v.nonce, v.associated, std::span(v.sealed).first(15)));
  EXPECT_FALSE(open(v.key, v.nonce, v.associated, {}));
}

TEST(Random, NoncesDiffer) {
  std::set<AeadNonce> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(random_nonce());
  EXPECT_EQ(seen.size(), 1000U);
}

TEST(Random, NumbersStayBelowTheirBoundAndReachAllOfIt) {
  std::set<std::uint32_t> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(random_below(7));
  EXPECT_THAT(seen, testing::ElementsAre(0, 1, 2, 3, 4, 5, 6));
}

TEST(Random, SecretsHaveTheSizeAskedForAndDiffer) {
  const auto first = random_secret(32);
  EXPECT_EQ(first.size(), 32U);
  EXPECT_FALSE(equal_in_constant_time(first.span(), random_secret(32).span()));
}

// Of so many uniform bytes 256 would be zero.
TEST(Random, AVolumesNewKeyHasNoZeroByte) {
  const auto key = random_volume_key(65536);
  ASSERT_EQ(key.size(), 65536U);
  const std::set<std::uint8_t> seen(key.span().begin(), key.span().end());
  EXPECT_FALSE(seen.contains(0));
  EXPECT_EQ(seen.size(), 255U);
}

}  // namespace
}  // namespace zkv::crypto
