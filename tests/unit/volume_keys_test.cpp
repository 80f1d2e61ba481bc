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

}  // namespace
}  // namespace zkv::repository
