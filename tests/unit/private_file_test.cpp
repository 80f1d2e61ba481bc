// Secrets in files of their own: made once, closed to others, of their size, and theirs alone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/file.h"
#include "base/private_file.h"
#include "test_certificate.h"

namespace zkv {
namespace {

using testing::HasSubstr;

class PrivateFile : public testing::Test {
 protected:
  test::TemporaryDirectory folder_;
  std::filesystem::path path_ = folder_ / "secret";
  SecretBytes secret_ = SecretBytes::copy_of("eight by");

  [[nodiscard]] Error refusal() const { return load_private_file(path_, 8, "the secret").error(); }
};

TEST_F(PrivateFile, IsMadeOnceAndThenStays) {
  EXPECT_EQ(load_or_make_private_file(path_, secret_, "the secret")->view(), "eight by");
  EXPECT_EQ(load_or_make_private_file(path_, SecretBytes::copy_of("another8"), "the secret")->view(),
            "eight by");
  EXPECT_EQ(load_private_file(path_, 8, "the secret")->view(), "eight by");
}

TEST_F(PrivateFile, IsClosedToOthersWhateverTheUmask) {
  const mode_t before = ::umask(0);
  ASSERT_TRUE(load_or_make_private_file(path_, secret_, "the secret"));
  ::umask(before);
  EXPECT_EQ(std::filesystem::status(path_).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST_F(PrivateFile, ThatOthersCouldReadIsRefusedWithTheWayOut) {
  ASSERT_TRUE(load_or_make_private_file(path_, secret_, "the secret"));
  std::filesystem::permissions(path_, std::filesystem::perms::others_read,
                               std::filesystem::perm_options::add);
  EXPECT_EQ(refusal().kind(), ErrorKind::kDenied);
  EXPECT_THAT(refusal().remedy(), HasSubstr("chmod 600"));
}

TEST_F(PrivateFile, OfAnotherSizeIsRefused) {
  ASSERT_TRUE(create_file(path_, SecretBytes(7).span()));
  EXPECT_EQ(refusal().kind(), ErrorKind::kInvalid);
  std::filesystem::remove(path_);
  ASSERT_TRUE(create_file(path_, SecretBytes(9).span()));
  EXPECT_EQ(refusal().kind(), ErrorKind::kInvalid);
}

TEST_F(PrivateFile, ThatIsMissingOrNoFileIsSaidToBe) {
  EXPECT_EQ(refusal().kind(), ErrorKind::kNotFound);
  std::filesystem::create_directory(path_);
  EXPECT_EQ(refusal().kind(), ErrorKind::kInvalid);
}

}  // namespace
}  // namespace zkv
