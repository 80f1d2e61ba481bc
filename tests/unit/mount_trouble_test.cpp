// What the last opening left over, beside a machine on which it was put right, or not; and what is gone.
#include "host/mount_trouble.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "luks_machine.h"

namespace zkv::host {
namespace {

using test::LuksMachine;
using test::put;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class MountTrouble : public LuksMachine {
 protected:
  static LastUnlock ended(const std::string& result) {
    LastUnlock last;
    last.result = result;
    return last;
  }
  [[nodiscard]] std::vector<Finding> left_over(LastUnlock last) const {
    last.kind = "luks";
    last.settings = {.device = device("vdb")};
    return find_left_over({{"data", last}, {"removed", last}}, holding("data"), unlockers(),
                          directory_ / "mountinfo");
  }
  /// What is known of a repository that holds that volume alone.
  [[nodiscard]] DriftRecord holding(const std::string& name) const {
    DriftRecord record;
    record.volumes[name] = {.kind = "luks", .settings = {.device = device("vdb")}};
    return record;
  }
  [[nodiscard]] Unlockers unlockers() const {
    Unlockers all;
    all.push_back(unlocker());
    return all;
  }
};

TEST_F(MountTrouble, APlaceThatWasNotMountedIsToldUntilItIs) {
  auto last = ended("opened");
  last.unmounted = {{"/there", "mount: wrong fs type"}};
  const auto found = left_over(last);
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].about, "data");
  EXPECT_THAT(found[0].what,
              HasSubstr("not mounted at /there when it was last opened: mount: wrong fs type"));
  EXPECT_THAT(found[0].remedy, HasSubstr("zkv mount --only data"));
  put(directory_ / "mountinfo", "30 1 8:1 / /there rw - ext4 /dev/sda1 rw\n");
  EXPECT_THAT(left_over(last), IsEmpty());
}

TEST_F(MountTrouble, AVolumeThatFailedIsToldUntilItIsOpen) {
  EXPECT_THAT(left_over(ended("failed")), IsEmpty()) << "it is open now";
  std::filesystem::remove_all(sys() / "dm-0");
  EXPECT_THAT(left_over(ended("failed")), SizeIs(1));
  EXPECT_THAT(left_over(ended("unusable-key")), SizeIs(1));
  for (const auto* word : {"opened", "already-open", "interrupted"}) {
    EXPECT_THAT(left_over(ended(word)), IsEmpty()) << word;
  }
}

TEST_F(MountTrouble, ALineOfFstabThatCannotBeIsTold) {
  const auto blkid = directory_ / "blkid";
  put(blkid, "#!/bin/sh\necho ext4\n");
  std::filesystem::permissions(blkid, std::filesystem::perms::owner_all);
  put(dev() / "mapper/data", "");
  put(directory_ / "fstab", (dev() / "mapper/data").string() + " /there xfs noauto 0 2\n");
  auto with_blkid = options();
  with_blkid.blkid = blkid;
  Unlockers all;
  all.push_back(unlock::make_luks_unlocker(with_blkid));
  const auto found = find_unmountable(holding("data"), all);
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].what, "it cannot be mounted at /there: fstab calls it xfs, and it is ext4");
  EXPECT_THAT(found[0].remedy, HasSubstr("the line of /there in /etc/fstab"));
}

TEST_F(MountTrouble, ADiskThatIsGoneMayHaveGivenWayToAnother) {
  DriftRecord record;
  record.volumes["away"] = {.kind = "luks", .settings = {.device = "UUID=1-2"}};
  const auto found = find_drift(record, {}, unlockers(), {"/nowhere", "/nowhere", "/nowhere"}).findings;
  ASSERT_FALSE(found.empty());
  EXPECT_EQ(found[0].text(), "away: it is not there (UUID=1-2)");
  EXPECT_THAT(found[0].remedy, HasSubstr("zkv volume remove --force away"));
  EXPECT_THAT(found[0].remedy, HasSubstr("zkv volume add --force --device DEVICE away"));
}

}  // namespace
}  // namespace zkv::host
