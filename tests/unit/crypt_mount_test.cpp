// Mounting what lies on volumes of LUKS: where, in which order, and what stands in the way.
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "luks_machine.h"
#include "unlock/filesystem_types.h"

namespace zkv::unlock {
namespace {

namespace fs = std::filesystem;
using test::LuksMachine;
using test::put;
using testing::HasSubstr;

/// The same machine with programs in the place of mount(8) and blkid(8), which keep what they were told.
class LuksMounting : public LuksMachine {
 protected:
  LuksMounting() {
    put(dev() / "mapper/data", "");
    put(directory_ / "mountinfo", "");
    program("mount", "exit 0");
    program("blkid", "case \"$*\" in *UUID*) echo 12-ab;; *LABEL*) echo 'my \"disk\"';; esac");
  }

  [[nodiscard]] std::unique_ptr<Unlocker> mounter() const { return make_luks_unlocker(played()); }

  [[nodiscard]] MountOutcome mount_one(const repository::VolumeSettings& settings) const {
    const auto outcomes = mounter()->mount({{"data", settings}}, {});
    return outcomes && outcomes->size() == 1 ? outcomes->front() : MountOutcome();
  }

  [[nodiscard]] std::string mapped() const { return (dev() / "mapper/data").string(); }
};

TEST_F(LuksMounting, AVolumeThatSaysWhereIsMountedThere) {
  const auto place = (directory_ / "made/on/the/way").string();
  const auto outcome = mount_one({{}, place, "discard,read-only"});
  EXPECT_EQ(outcome.happened, MountHappened::kMounted);
  EXPECT_EQ(outcome.mountpoint, place);
  EXPECT_EQ(calls(), "mount -o ro -- " + mapped() + " " + place + "\n");
  EXPECT_TRUE(fs::is_directory(place));
}

TEST_F(LuksMounting, AMountPointThatAnotherCouldSwapIsRefused) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give directories away";
  const auto theirs = directory_ / "theirs";
  fs::create_directories(theirs / "below");
  fs::create_directories(directory_ / "etc");
  fs::create_symlink(directory_ / "etc", theirs / "link");
  fs::create_symlink(theirs, directory_ / "way");
  ASSERT_EQ(::chown(theirs.c_str(), 65534, 65534), 0);
  fs::create_directories(directory_ / "open");
  fs::permissions(directory_ / "open", fs::perms::all);
  for (const auto& place : {theirs / "below", theirs / "link", theirs / "link/new", theirs / "not/there/yet",
                            directory_ / "way/below", directory_ / "open/there"}) {
    const auto outcome = mount_one({{}, place.string(), {}});
    EXPECT_EQ(outcome.happened, MountHappened::kFailed) << place;
    EXPECT_THAT(outcome.detail, HasSubstr("below directories of root")) << place;
  }
  EXPECT_EQ(calls(), "");
  EXPECT_FALSE(fs::exists(theirs / "not"));
  EXPECT_FALSE(fs::exists(directory_ / "etc/new"));
}

TEST_F(LuksMounting, ALinkThatOnlyRootCanChangeIsFollowedAndTheLastDirectoryMayBeAnybodys) {
  fs::create_directories(directory_ / "disk/data");
  fs::create_symlink("disk", directory_ / "srv");
  if (::geteuid() == 0) {
    ASSERT_EQ(::chown((directory_ / "disk/data").c_str(), 65534, 65534), 0);
  }
  EXPECT_EQ(mount_one({{}, (directory_ / "srv/data").string(), {}}).happened, MountHappened::kMounted);
  fs::create_symlink("disk/data", directory_ / "itself");
  EXPECT_EQ(mount_one({{}, (directory_ / "itself").string(), {}}).happened, MountHappened::kMounted);
  fs::create_symlink("round", directory_ / "round");
  EXPECT_THAT(mount_one({{}, (directory_ / "round/x").string(), {}}).detail, HasSubstr("too many links"));
}

TEST_F(LuksMounting, ElseFstabSaysWhereByTheMappingOrByTheFilesystem) {
  const auto by_path = (directory_ / "p").string();
  const auto by_uuid = (directory_ / "u").string();
  put(directory_ / "fstab", "/dev/sda1 / ext4 defaults 0 1\n" + mapped() + " " + by_path +
                                " ext4 noauto 0 2\n" + "UUID=12-ab " + by_uuid +
                                " ext4 ro 0 2\nUUID=34-cd /other ext4 ro 0 2\n");
  const auto outcomes = mounter()->mount({{"data", {}}}, {});
  ASSERT_TRUE(outcomes) << outcomes.error().message();
  ASSERT_EQ(outcomes->size(), 2U);
  EXPECT_EQ((*outcomes)[0].mountpoint, by_path);
  EXPECT_EQ((*outcomes)[1].mountpoint, by_uuid);
  EXPECT_THAT(calls(), HasSubstr("mount -- " + by_path + "\nmount -- " + by_uuid + "\n"));
}

TEST_F(LuksMounting, ADeviceIsKnownByEachOfItsPaths) {
  const auto place = (directory_ / "p").string();
  fs::remove(mapped());
  fs::create_symlink("/dev/null", mapped());
  fs::create_symlink("/dev/null", dev() / "disk");
  put(directory_ / "fstab", (dev() / "disk").string() + " " + place + " ext4 noauto 0 0\n");
  EXPECT_EQ(mount_one({}).mountpoint, place);
  put(directory_ / "fstab", "/dev/zero " + place + " ext4 noauto 0 0\n");
  EXPECT_EQ(mount_one({}).mountpoint, "");
}

TEST_F(LuksMounting, WhereNobodySaysWhereNothingIsMounted) {
  const auto outcomes = mounter()->mount({{"data", {}}}, {});
  ASSERT_TRUE(outcomes);
  EXPECT_TRUE(outcomes->empty());
  EXPECT_THAT(calls(), testing::Not(HasSubstr("mount ")));
}

TEST_F(LuksMounting, OneWhomSystemdForestalledIsMountedAlready) {
  const auto place = (directory_ / "here").string();
  program("mount", "echo '30 1 253:0 / " + place + " rw - ext4 /dev/mapper/data rw' >" +
                       (directory_ / "mountinfo").string() + "; echo 'already mounted' >&2; exit 32");
  EXPECT_EQ(mount_one({{}, place, {}}).happened, MountHappened::kAlreadyMounted);
}

TEST_F(LuksMounting, WhatMountComplainsOfIsTheReason) {
  program("mount", "echo 'mount: wrong fs type' >&2; exit 32");
  const auto outcome = mount_one({{}, (directory_ / "here").string(), {}});
  EXPECT_EQ(outcome.happened, MountHappened::kFailed);
  EXPECT_EQ(outcome.detail, "mount: wrong fs type");
}

TEST_F(LuksMounting, UnmountsTheLastMountedFirst) {
  put(directory_ / "mountinfo",
      "30 1 253:0 / /a rw - ext4 /dev/mapper/data rw\n31 1 8:1 / /b rw - ext4 /dev/sda1 rw\n"
      "32 1 0:44 / /a/c rw - btrfs " +
          mapped() + " rw\n");
  const auto outcomes = mounter()->unmount({{"data"}, {"vg-root"}, {"none"}}, {});
  ASSERT_TRUE(outcomes);
  EXPECT_EQ(outcomes->size(), 2U);
  EXPECT_EQ(calls(), "umount /a/c\numount /a\n");
}

/// fusermount(1) takes any source from anybody.
TEST_F(LuksMounting, AFilesystemOfAUserThatCallsItselfTheVolumeIsNotTakenForIt) {
  const auto place = (directory_ / "here").string();
  for (const auto* type : {"fuse.sshfs", "fuse"}) {
    put(directory_ / "calls", "");
    put(directory_ / "mountinfo",
        "40 1 0:77 / " + place + " rw,nosuid,nodev - " + type + " " + mapped() + " rw,user_id=1000\n");
    EXPECT_FALSE(mounter()->inspect({{"data"}})->front().is_mounted);
    EXPECT_TRUE(mounter()->unmount({{"data"}}, {})->empty());
    EXPECT_EQ(mount_one({{}, place, {}}).happened, MountHappened::kMounted);
    EXPECT_EQ(calls(), "mount -- " + mapped() + " " + place + "\n");
  }
}

TEST_F(LuksMounting, AProgramThatServesTheVolumesDeviceIsItsMount) {
  put(directory_ / "mountinfo", "40 1 0:77 / /srv rw - fuseblk " + mapped() + " rw\n");
  EXPECT_EQ(mounter()->inspect({{"data"}})->front().mountpoint, "/srv");
}

TEST_F(LuksMounting, AMappingThatTookAVolumesNameIsNeitherMountedNorUnmounted) {
  put(directory_ / "mountinfo", "30 1 253:0 / /a rw - ext4 /dev/mapper/data rw\n");
  const auto outcome = mount_one({device("vdc"), (directory_ / "here").string(), {}});
  EXPECT_EQ(outcome.happened, MountHappened::kFailed);
  EXPECT_THAT(outcome.detail, HasSubstr("belongs to another device (vdb)"));
  const auto unmounted = mounter()->unmount({{"data", {device("vdc"), {}, {}}}}, {});
  ASSERT_TRUE(unmounted);
  EXPECT_TRUE(unmounted->empty());
  EXPECT_EQ(calls(), "");
}

TEST_F(LuksMounting, AMappingThatIsNotOfLuksIsNotMounted) {
  put(dev() / "mapper/vg-root", "");
  const auto outcomes = mounter()->mount({{"vg-root", {{}, (directory_ / "here").string(), {}}}}, {});
  ASSERT_TRUE(outcomes);
  EXPECT_EQ(outcomes->front().happened, MountHappened::kFailed);
  EXPECT_EQ(calls(), "");
}

TEST_F(LuksMounting, ParentsAreMountedFirstAndUnmountedLastWhateverTheVolumesOrder) {
  mapping("dm-2", "deep", "CRYPT-LUKS2-1-deep", "253:2", "vdc");
  const auto parent = (directory_ / "p").string();
  const auto child = parent + "/c";
  const std::vector<VolumeRef> volumes{{"deep", {{}, child, {}}}, {"data", {{}, parent, {}}}};
  ASSERT_TRUE(mounter()->mount(volumes, {}));
  EXPECT_EQ(calls(), "mount -- " + mapped() + " " + parent + "\nmount -- " +
                         (dev() / "mapper/deep").string() + " " + child + "\n");
  put(directory_ / "calls", "");
  put(directory_ / "mountinfo", "31 1 253:2 / /a/c rw - ext4 x rw\n30 1 253:0 / /a rw - ext4 x rw\n");
  ASSERT_TRUE(mounter()->unmount({{"data"}, {"deep"}}, {}));
  EXPECT_EQ(calls(), "umount /a/c\numount /a\n");
}

TEST_F(LuksMounting, APlaceIsKnownThoughItIsWrittenOtherwise) {
  const auto real = fs::canonical(directory_ / "").string() + "/real";
  fs::create_directory(real);
  fs::create_symlink(real, directory_ / "link");
  put(directory_ / "mountinfo", "30 1 253:0 / " + real + " rw - ext4 /dev/mapper/data rw\n");
  for (const auto& place : {real + "/", real + "//.", (directory_ / "link").string()}) {
    EXPECT_EQ(mount_one({{}, place, {}}).happened, MountHappened::kAlreadyMounted) << place;
    put(directory_ / "fstab", mapped() + " " + place + " ext4 noauto 0 2\n");
    EXPECT_EQ(mount_one({}).happened, MountHappened::kAlreadyMounted) << place;
  }
  EXPECT_EQ(calls(), "");
}

TEST_F(LuksMounting, ALabelWithBlanksAndQuotesIsFoundInFstab) {
  const auto place = (directory_ / "l").string();
  put(directory_ / "fstab", "LABEL=my\\040\"disk\" " + place + " ext4 noauto 0 2\n");
  EXPECT_EQ(mount_one({}).happened, MountHappened::kMounted);
}

TEST_F(LuksMounting, WhatFstabNamesByItsPathNeedsNoBlkid) {
  const auto place = (directory_ / "p").string();
  program("blkid", "echo 'blkid: error' >&2; exit 4");
  put(directory_ / "fstab",
      "UUID=34-cd /other ext4 ro 0 2\n" + mapped() + " " + place + " ext4 noauto 0 2\n");
  EXPECT_EQ(mount_one({}).happened, MountHappened::kMounted);
  put(directory_ / "fstab", "UUID=34-cd /other ext4 ro 0 2\n");
  EXPECT_EQ(mount_one({}).detail, "blkid: error");
}

TEST_F(LuksMounting, WhatIsMountedNowhereIsSaidToBeSo) {
  program("blkid", "case \"$*\" in *TYPE*) echo ext4;; esac");
  const auto outcome = mount_one({});
  EXPECT_EQ(outcome.happened, MountHappened::kSkipped);
  EXPECT_EQ(outcome.volume, "data");
  EXPECT_THAT(outcome.detail, HasSubstr("it holds ext4, and neither fstab nor"));
  put(directory_ / "mountinfo", "30 1 253:0 / /by/hand rw - ext4 /dev/mapper/data rw\n");
  EXPECT_TRUE(mounter()->mount({{"data", {}}}, {})->empty());
  put(directory_ / "mountinfo", "");
  program("blkid", "case \"$*\" in *TYPE*) echo zfs_member;; esac");
  EXPECT_TRUE(mounter()->mount({{"data", {}}}, {})->empty()) << "a part of a pool";
}

TEST_F(LuksMounting, WhatAMountHidesIsTold) {
  const auto place = directory_ / "full";
  put(place / "written", "while nothing was mounted");
  EXPECT_THAT(mount_one({{}, place.string(), {}}).detail, HasSubstr("hides"));
  EXPECT_EQ(mount_one({{}, (directory_ / "empty").string(), {}}).detail, "");
}

TEST_F(LuksMounting, ALineOfFstabThatCallsItOtherwiseIsFoundBeforeItFails) {
  program("blkid", "case \"$*\" in *TYPE*) echo ext4;; *UUID*) echo 12-ab;; esac");
  put(directory_ / "fstab", mapped() + " /right auto noauto 0 2\n" + mapped() +
                                " /wrong xfs noauto 0 2\nUUID=12-ab /too btrfs noauto 0 2\n");
  const auto found = mounter()->contradictions({{"data", {}}, {"closed", {}}});
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].mountpoint, "/wrong");
  EXPECT_EQ(found[0].detail, "fstab calls it xfs, and it is ext4");
  EXPECT_EQ(found[1].mountpoint, "/too");
  EXPECT_TRUE(mounter()->contradictions({{"data", {{}, "/own", {}}}}).empty()) << "fstab is not asked";
  program("blkid", "exit 4");
  EXPECT_TRUE(mounter()->contradictions({{"data", {}}}).empty()) << "this user may not look";
}

TEST_F(LuksMounting, AMountThatFailsSaysWhatFstabHasWrong) {
  program("blkid", "case \"$*\" in *TYPE*) echo ext4;; esac");
  program("mount", "echo 'wrong fs type' >&2; exit 32");
  const auto place = (directory_ / "there").string();
  put(directory_ / "fstab", mapped() + " " + place + " xfs noauto 0 0\n");
  const auto outcome = mount_one({});
  EXPECT_EQ(outcome.happened, MountHappened::kFailed);
  EXPECT_EQ(outcome.detail, "wrong fs type; fstab calls it xfs, and it is ext4");
  put(directory_ / "fstab", mapped() + " " + place + " ext4 noauto 0 0\n");
  EXPECT_EQ(mount_one({}).detail, "wrong fs type");
}

TEST(FilesystemTypes, GoByTheNamesThatMountTakes) {
  EXPECT_TRUE(can_be_mounted_as("ext3", "ext4"));
  EXPECT_FALSE(can_be_mounted_as("ext4", "ext3"));
  EXPECT_TRUE(can_be_mounted_as("ntfs", "ntfs-3g"));
  EXPECT_TRUE(can_be_mounted_as("ext4", "xfs,ext4"));
  EXPECT_FALSE(can_be_mounted_as("ext4", "xfs,btrfs"));
  for (const auto* unknown : {"", "auto", "fuse.something", "none"}) {
    EXPECT_TRUE(can_be_mounted_as("ext4", unknown)) << unknown;
  }
  EXPECT_TRUE(can_be_mounted_as("something-new", "xfs"));
}

}  // namespace
}  // namespace zkv::unlock
