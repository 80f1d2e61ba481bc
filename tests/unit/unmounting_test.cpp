// Unmounting in directories of others: links lead nowhere. On a tmpfs of the test's own.
#include "unlock/unmounting.h"

#include <fcntl.h>
#include <sys/mount.h>

#include <algorithm>
#include <filesystem>

#include <gtest/gtest.h>

#include "base/file.h"
#include "test_certificate.h"
#include "unlock/mount_table.h"
#include "unlock/system_tool.h"

namespace zkv::unlock {
namespace {

namespace fs = std::filesystem;

class UnmountsPlaces : public testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(place());
    if (::mount("none", place().c_str(), "tmpfs", 0, "") != 0) GTEST_SKIP() << "nothing can be mounted here";
  }
  void TearDown() override { ::umount2(place().c_str(), MNT_DETACH | UMOUNT_NOFOLLOW); }

  [[nodiscard]] fs::path place() const { return folder_ / "dir/place"; }
  [[nodiscard]] bool is_mounted() const {
    const auto mounted = parse_mounted(read_system_table("/proc/self/mountinfo").value_or(""));
    return std::ranges::any_of(mounted, [&](const Mounted& one) { return one.mountpoint == place(); });
  }

  test::TemporaryDirectory folder_;
};

TEST_F(UnmountsPlaces, APlaceByItsPath) {
  EXPECT_TRUE(unmount_place(place(), Unmounting::kIfUnused));
  EXPECT_FALSE(is_mounted());
  EXPECT_FALSE(unmount_place(place(), Unmounting::kIfUnused)) << "nothing is mounted there any more";
}

TEST_F(UnmountsPlaces, NotWhereALinkLeads) {
  fs::create_symlink(place(), folder_ / "link");
  fs::create_symlink(folder_ / "dir", folder_ / "way");
  for (const auto& theirs : {folder_ / "link", folder_ / "way/place"}) {
    EXPECT_FALSE(unmount_place(theirs, Unmounting::kIfUnused)) << theirs;
    EXPECT_FALSE(unmount_place(theirs, Unmounting::kAtOnce)) << theirs;
  }
  EXPECT_FALSE(unmount_place("/", Unmounting::kAtOnce));
  EXPECT_TRUE(is_mounted());
}

TEST_F(UnmountsPlaces, WhatIsInUseOnlyAtOnce) {
  const FileDescriptor in_it(::open(place().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  EXPECT_FALSE(unmount_place(place(), Unmounting::kIfUnused));
  EXPECT_TRUE(is_mounted());
  EXPECT_TRUE(unmount_place(place(), Unmounting::kAtOnce));
  EXPECT_FALSE(is_mounted());
}

}  // namespace
}  // namespace zkv::unlock
