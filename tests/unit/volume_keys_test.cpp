// The memory in which a repository's keys lie while it is open.
#include <gtest/gtest.h>

#include "base/encoding.h"
#include "repository/volume_keys.h"

namespace zkv::repository {
namespace {

TEST(VolumeKeys, AKeyThatIsHeldAlreadyCanBeGivenToOthersWhileTheirMemoryGrows) {
  VolumeKeys keys;
  const std::string key(60, 'k');
  ASSERT_TRUE(keys.add("first", VolumeKind::kLuks, bytes_of(key)));
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(keys.add(std::to_string(i), VolumeKind::kLuks, keys.volumes().front().key));
  }
  ASSERT_TRUE(keys.remove("first"));
  for (const auto& volume : keys.volumes()) {
    EXPECT_EQ(std::string(volume.key.begin(), volume.key.end()), key) << volume.name;
  }
}

TEST(VolumeKeys, ARenamedVolumeKeepsItsPlaceAndAllThatIsKnownOfIt) {
  const std::vector<std::uint8_t> key{1, 2, 3};
  const std::vector<std::uint8_t> derived(kDerivedKeySize, 7);
  VolumeKeys keys;
  for (const auto* name : {"tank", "b", "c"}) ASSERT_TRUE(keys.add(name, VolumeKind::kZfs, key));
  ASSERT_TRUE(keys.set_settings("tank", {.options = "import"}));
  ASSERT_TRUE(keys.set_derived("tank", {.salt = 4, .iterations = 5, .key = derived}));
  ASSERT_TRUE(keys.begin_change("tank", std::vector<std::uint8_t>{9}));
  const auto before = keys.volumes().front();
  ASSERT_TRUE(keys.rename(before.name, "vault"));

  const auto after = keys.volumes().front();
  EXPECT_EQ(after.name, "vault");
  EXPECT_EQ(after.settings, before.settings);
  EXPECT_TRUE(std::ranges::equal(after.key, key));
  EXPECT_EQ(after.next_key.size(), 1U);
  EXPECT_EQ(after.derived->salt, 4U);
  EXPECT_FALSE(keys.contains("tank"));
  EXPECT_TRUE(keys.contains("vault"));

  EXPECT_EQ(keys.rename("tank", "x").error().kind(), ErrorKind::kNotFound);
  EXPECT_EQ(keys.rename("vault", "b").error().kind(), ErrorKind::kExists);
  EXPECT_EQ(keys.rename("vault", "").error().kind(), ErrorKind::kInvalid);
  ASSERT_TRUE(keys.rename("vault", "tank")) << "back again";
  ASSERT_TRUE(keys.remove("tank"));
  EXPECT_EQ(keys.size(), 2U);
}

}  // namespace
}  // namespace zkv::repository
