// A gateway's identity: made once and kept, the keys that its file says, and what it says of itself.
#include "gateway/identity/identity.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <string_view>

#include "base/file.h"
#include "test_certificate.h"

namespace zkv::gateway {
namespace {

/// RFC 8032, 7.1, test 1, and RFC 7748, 6.1, Alice: secret and public key of each.
constexpr std::string_view kSigningSeed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
constexpr std::string_view kVerifyingKey = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
constexpr std::string_view kSealingSecret =
    "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a";
constexpr std::string_view kSealingPublic =
    "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a";

class GatewayIdentity : public testing::Test {
 protected:
  void write(std::string_view hex, mode_t mode = 0600) const {
    ASSERT_TRUE(create_file(path_, from_hex(hex).value(), mode));
  }
  [[nodiscard]] Result<Identity> load() const { return Identity::load_or_make(path_); }

  test::TemporaryDirectory folder_;
  std::filesystem::path path_ = folder_ / "identity";
};

TEST_F(GatewayIdentity, IsMadeOnceAndClosedToOthers) {
  const auto made = load().value();
  EXPECT_EQ(std::filesystem::file_size(path_), 64U);
  struct stat about {};
  ASSERT_EQ(::stat(path_.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 07777U, 0600U);
  const auto again = load().value();
  EXPECT_EQ(again.id(), made.id());
  EXPECT_EQ(again.sealing().public_key(), made.sealing().public_key());
  const auto other = Identity::load_or_make(folder_ / "other").value();
  EXPECT_NE(other.id(), made.id());
  EXPECT_NE(other.sealing().public_key(), made.sealing().public_key());
}

TEST_F(GatewayIdentity, IsTheSigningSeedAndThenTheSealingSecret) {
  write(std::string(kSigningSeed) + std::string(kSealingSecret));
  const auto identity = load().value();
  EXPECT_EQ(to_hex(identity.signing().verifying_key()), kVerifyingKey);
  EXPECT_EQ(to_hex(identity.sealing().public_key()), kSealingPublic);
  EXPECT_EQ(identity.id(), protocol::key_id(identity.signing().verifying_key()));
}

TEST_F(GatewayIdentity, OfAnotherSizeIsRefusedAndLeftAsItIs) {
  write(kSigningSeed);
  EXPECT_EQ(load().error().kind(), ErrorKind::kInvalid);
  EXPECT_EQ(std::filesystem::file_size(path_), 32U);
}

TEST_F(GatewayIdentity, ThatOthersCouldReadIsRefused) {
  write(std::string(kSigningSeed) + std::string(kSealingSecret), 0644);
  EXPECT_EQ(load().error().kind(), ErrorKind::kDenied);
}

TEST_F(GatewayIdentity, SaysWhoItIsUnderItsOwnSignature) {
  const auto identity = load().value();
  const Time now(std::chrono::hours(24 * 365 * 56));
  const auto envelope = identity.statement("home", now);
  const auto said =
      protocol::open_envelope<protocol::GatewayStatement>(envelope, identity.signing().verifying_key())
          .value();
  EXPECT_EQ(said.gateway, identity.id());
  EXPECT_EQ(said.signing, identity.signing().verifying_key());
  EXPECT_EQ(said.sealing, identity.sealing().public_key());
  EXPECT_EQ(said.name, "home");
  EXPECT_EQ(said.time, now);
  EXPECT_TRUE(said.does_know(protocol::kKnowsDrills));
  const auto other = Identity::load_or_make(folder_ / "other").value();
  EXPECT_EQ(protocol::open_envelope<protocol::GatewayStatement>(envelope, other.signing().verifying_key())
                .error()
                .kind(),
            ErrorKind::kDenied);
}

TEST_F(GatewayIdentity, OpensWhatIsSealedToWhatItSays) {
  const auto identity = load().value();
  const SecretBytes share = SecretBytes::copy_of("a share");
  const auto sealed = crypto::seal_to(identity.sealing().public_key(), share.span()).value();
  EXPECT_EQ(load()->sealing().open(sealed)->view(), "a share");
  const auto other = Identity::load_or_make(folder_ / "other").value();
  EXPECT_EQ(other.sealing().open(sealed).error().kind(), ErrorKind::kWrongKey);
}

}  // namespace
}  // namespace zkv::gateway
