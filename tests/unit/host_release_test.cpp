// A release is made for exactly what was signed, and for nothing that wants no share.
#include "gateway/service/host_release.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "crypto/random.h"

namespace zkv::gateway {
namespace {

class HostReleaseTest : public testing::Test {
 protected:
  HostReleaseTest() : host_(crypto::SigningKey::from_seed(crypto::random_secret(32)).value()) {
    std::string name = (std::filesystem::temp_directory_path() / "zkv-release-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    identity_.emplace(Identity::load_or_make(folder_ / "identity.key").value());
    message_.host = protocol::key_id(host_.verifying_key());
    message_.gateway = identity_->id();
    message_.key = box_.public_key();
    message_.number = "47";
  }
  ~HostReleaseTest() override { std::filesystem::remove_all(folder_); }

  Result<std::string> release(const protocol::Envelope& signed_as, const protocol::Envelope& stored) {
    Request request;
    const auto hash = protocol::hash_of(signed_as);
    request.token_hash = Bytes(hash.begin(), hash.end());
    const auto share = to_base64_secret(share_.span(), Base64::kUrlNoPadding);
    return make_release(*identity_, request, protocol::to_json(stored), share, {}, now());
  }
  protocol::Envelope sealed() { return protocol::seal_message(message_, host_); }

  std::filesystem::path folder_;
  crypto::SigningKey host_;
  std::optional<Identity> identity_;
  crypto::BoxKey box_ = crypto::BoxKey::make();
  protocol::RequestMessage message_;
  SecretBytes share_ = crypto::random_secret(protocol::kShareSize);
};

TEST_F(HostReleaseTest, TheShareIsSealedToTheKeyOfTheRequest) {
  const auto made = release(sealed(), sealed());
  ASSERT_TRUE(made) << made.error().message();
  const auto envelope = protocol::parse_envelope(*made).value();
  const auto opened =
      protocol::open_envelope<protocol::Release>(envelope, identity_->signing().verifying_key()).value();
  EXPECT_TRUE(std::ranges::equal(box_.open(opened.sealed).value().span(), share_.span()));
}

TEST_F(HostReleaseTest, AMessageThatIsNotTheOneThatWasSignedGetsNothing) {
  const auto genuine = sealed();
  message_.key = crypto::BoxKey::make().public_key();
  const auto made = release(genuine, sealed());
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().kind(), ErrorKind::kCorrupt);
}

TEST_F(HostReleaseTest, ARequestForTheNextBootGetsNoShare) {
  message_.next_boot = std::chrono::seconds(3'600);
  EXPECT_FALSE(release(sealed(), sealed()));
}

}  // namespace
}  // namespace zkv::gateway
