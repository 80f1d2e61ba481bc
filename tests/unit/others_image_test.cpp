// An image file that others than root can write: who has it makes nobody root by what is in it.
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "luks_machine.h"
#include "unlock/backing.h"
#include "unlock/crypt_open.h"

namespace zkv::unlock {
namespace {

namespace fs = std::filesystem;
using test::put;
using testing::HasSubstr;

/// A machine on which "own" is open, over a loop device, from a file in a directory of another user's.
class OthersImage : public test::LuksMachine {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can give directories away";
    for (const auto& file : {image(), closed()}) put(file, std::string(4096, '\0'));
    ASSERT_EQ(::chown(theirs().c_str(), 65534, 65534), 0);
    put(sys() / "loop3/loop/backing_file", image() + "\n");
    mapping("dm-2", "own", "CRYPT-LUKS2-7-own", "253:2", "loop3");
    put(dev() / "mapper/own", "");
    put(directory_ / "mountinfo", "");
    program("mount", "exit 0");
    program("blkid", "exit 2");
  }

  [[nodiscard]] fs::path theirs() const { return directory_ / "theirs"; }
  [[nodiscard]] std::string image() const { return theirs() / "own.img"; }
  [[nodiscard]] std::string closed() const { return theirs() / "closed.img"; }
  [[nodiscard]] std::string mapped() const { return dev() / "mapper/own"; }
  [[nodiscard]] std::string place() const { return directory_ / "place"; }

  void fstab(const std::string& line) const { put(directory_ / "fstab", line + "\n"); }
  /// The kernel's table with such a mount of the volume.
  [[nodiscard]] std::string mounted(const std::string& options) const {
    return "40 1 253:2 / " + place() + " " + options + " - ext4 " + mapped() + " rw\n";
  }
  [[nodiscard]] MountOutcome mount(const std::string& device, const std::string& mountpoint) const {
    const auto outcomes = make_luks_unlocker(played())->mount({{"own", {device, mountpoint, {}}}}, {});
    return outcomes && outcomes->size() == 1 ? outcomes->front() : MountOutcome();
  }
  [[nodiscard]] std::string words_of_mount(const std::string& device) const {
    EXPECT_EQ(mount(device, place()).happened, MountHappened::kMounted);
    return calls();
  }
  /// Whether another volume, which is not open, is not opened for what fstab says.
  [[nodiscard]] bool is_refused(const std::string& device) const {
    const auto outcome = open_one("new", {device, {}, {}});
    return outcome.happened == Happened::kFailed && outcome.detail.starts_with("others than root can change");
  }
};

const std::string kNoRights = "mount -o nosuid,nodev -- ";

TEST_F(OthersImage, IsMountedWithoutRights) { EXPECT_THAT(words_of_mount(image()), HasSubstr(kNoRights)); }

TEST_F(OthersImage, RootsOwnIsMountedAsEver) {
  put(directory_ / "roots/own.img", "");
  put(sys() / "loop3/loop/backing_file", (directory_ / "roots/own.img").string() + "\n");
  EXPECT_EQ(words_of_mount(directory_ / "roots/own.img"), "mount -- " + mapped() + " " + place() + "\n");
}

TEST_F(OthersImage, MovingItAwayOnceItIsOpenGainsNothing) {
  fs::rename(image(), theirs() / "away");
  put(sys() / "loop3/loop/backing_file", (theirs() / "away").string() + "\n");
  EXPECT_THAT(words_of_mount(image()), HasSubstr(kNoRights));
}

TEST_F(OthersImage, DeletingItOnceItIsOpenGainsNothing) {
  fs::remove(image());
  put(sys() / "loop3/loop/backing_file", image() + " (deleted)\n");
  EXPECT_THAT(words_of_mount(image()), HasSubstr(kNoRights));
}

TEST_F(OthersImage, ALinkToADeviceInItsPlaceGainsNothing) {
  fs::remove(image());
  fs::create_symlink(dev() / "vdc", image());
  fs::remove(sys() / "dm-2/slaves/loop3");
  mapping("dm-2", "own", "CRYPT-LUKS2-7-own", "253:2", "vdc");
  EXPECT_THAT(words_of_mount(image()), HasSubstr(kNoRights));
}

TEST_F(OthersImage, BehindAnInnocentNameIsTheSame) {
  put(dev() / "loop3", "");
  fs::create_directories(dev() / "disk/by-uuid");
  fs::create_symlink("../../loop3", dev() / "disk/by-uuid/77");
  EXPECT_THAT(words_of_mount("UUID=77"), HasSubstr(kNoRights));
}

TEST_F(OthersImage, WhoseFileTheKernelDoesNotNameIsNotRoots) {
  put(sys() / "loop3/loop/backing_file", "");
  EXPECT_FALSE(check_files_below("dm-2", sys()));
}

TEST_F(OthersImage, IsFoundBelowPartitionsAndLogicalVolumes) {
  put(directory_ / "disks/loop4/loop/backing_file", image() + "\n");
  fs::create_directories(directory_ / "disks/loop4/loop4p1");
  fs::create_directory_symlink(directory_ / "disks/loop4/loop4p1", sys() / "loop4p1");
  mapping("dm-7", "nas-home", "LVM-1", "253:7", "loop4p1");
  EXPECT_FALSE(check_files_below("dm-7", sys()));
  EXPECT_TRUE(check_files_below("dm-0", sys()));
}

TEST_F(OthersImage, ADirectoryOfDevicesThatAllCanWriteMakesNoDevices) {
  put(dev() / "shm/own.img", "");
  fs::permissions(dev() / "shm", fs::perms::all | fs::perms::sticky_bit);
  EXPECT_FALSE(check_name_of_device(dev() / "shm/own.img", dev()));
  EXPECT_TRUE(check_name_of_device(dev() / "vdb", dev()));
  EXPECT_TRUE(check_name_of_device(dev() / "not-there-yet", dev()));
  EXPECT_FALSE(check_name_of_device(directory_ / "not-there", dev()));
}

TEST_F(OthersImage, IsNotOpenedWhereFstabWouldMountItWithRights) {
  fstab((dev() / "mapper/new").string() + " /srv/new ext4 nofail 0 0");
  const auto outcome = open_one("new", {closed(), {}, {}});
  EXPECT_EQ(outcome.happened, Happened::kFailed);
  EXPECT_THAT(outcome.detail, HasSubstr("mapper/new /srv/new) wants nosuid,nodev"));
  EXPECT_THAT(outcome.remedy, HasSubstr("add nosuid,nodev"));
  EXPECT_FALSE(is_refused(device("vdd"))) << "only root can write that disk";
  fstab((dev() / "disk/by-id/dm-name-new").string() + " /srv/new ext4 defaults 0 0");
  EXPECT_TRUE(is_refused(closed()));
}

TEST_F(OthersImage, IsOpenedWhereALineGivesNoRightsOrOnlyRootMountsIt) {
  for (const auto* options : {"nofail,nosuid,nodev", "noauto", "user,nosuid,nodev"}) {
    fstab((dev() / "mapper/new").string() + " /srv/new ext4 " + options + " 0 0");
    EXPECT_FALSE(is_refused(closed())) << options;
  }
}

TEST_F(OthersImage, IsNotOpenedWhereSomebodyElseCouldHaveItsLineMounted) {
  for (const auto* options : {"noauto,x-systemd.automount", "noauto,user", "nosuid,nodev,suid",
                              "noauto,x-systemd.wanted-by=multi-user.target", "nosuid"}) {
    fstab((dev() / "mapper/new").string() + " /srv/new ext4 " + options + " 0 0");
    EXPECT_TRUE(is_refused(closed())) << options;
  }
}

TEST_F(OthersImage, DoesNotPassForADiskThatFstabAwaits) {
  fstab("LABEL=backup " + place() + " ext4 nofail 0 0");
  const auto outcome = open_one("new", {closed(), {}, {}});
  EXPECT_THAT(outcome.detail, HasSubstr("could pass for what fstab awaits (LABEL=backup "));
  fstab((dev() / "disk/by-uuid/12").string() + " " + place() + " ext4 nofail 0 0");
  EXPECT_TRUE(is_refused(closed()));
  put(directory_ / "mountinfo", "40 1 8:1 / " + place() + " rw - ext4 /dev/sda1 rw\n");
  EXPECT_FALSE(is_refused(closed())) << "it is there";
}

TEST_F(OthersImage, SystemdIsGivenNoKeyForItEither) {
  fstab((dev() / "mapper/new").string() + " /srv/new ext4 nofail 0 0");
  const auto key = bytes_of("key");
  const Unlocker::Volume volume{"new", repository::VolumeKind::kLuks, key, {}, {closed(), {}, {}}};
  const auto checked = check_header(volume, options(), {});
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().kind(), ErrorKind::kDenied);
}

TEST_F(OthersImage, MountedWithRightsAllTheSameIsUnmounted) {
  fstab(mapped() + " " + place() + " ext4 noauto,nosuid,nodev 0 0");
  program("mount", "cat >" + (directory_ / "mountinfo").string() + " <<'E'\n" + mounted("rw,nodev") + "E");
  const auto outcome = mount(image(), {});
  EXPECT_EQ(outcome.happened, MountHappened::kFailed);
  EXPECT_THAT(outcome.detail, HasSubstr("without nosuid,nodev"));
  EXPECT_THAT(calls(), HasSubstr("umount at once " + place() + "\n"));
}

TEST_F(OthersImage, ThatSystemdHadMountedWithRightsIsUnmounted) {
  put(directory_ / "mountinfo", mounted("rw,relatime"));
  EXPECT_EQ(mount(image(), place()).happened, MountHappened::kFailed);
  EXPECT_EQ(calls(), "umount at once " + place() + "\n");
}

TEST_F(OthersImage, ThatSystemdHadMountedWithoutRightsStays) {
  put(directory_ / "mountinfo", mounted("rw,nosuid,nodev,relatime"));
  EXPECT_EQ(mount(image(), place()).happened, MountHappened::kAlreadyMounted);
  EXPECT_EQ(calls(), "");
}

}  // namespace
}  // namespace zkv::unlock
