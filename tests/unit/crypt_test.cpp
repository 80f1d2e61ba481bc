// dm-crypt: words of options, names of devices and mappings, tables of mounts; and what the unlocker says of
// a machine that is a directory of files.
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <stop_token>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <libcryptsetup.h>

#include "base/encoding.h"
#include "test_certificate.h"
#include "unlock/block_devices.h"
#include "unlock/crypt.h"
#include "unlock/crypt_options.h"
#include "unlock/mappings.h"
#include "unlock/mount_table.h"

namespace zkv::unlock {
namespace {

namespace fs = std::filesystem;
using test::TemporaryDirectory;
using testing::ElementsAre;
using testing::HasSubstr;

void put(const fs::path& path, std::string_view text) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

TEST(CryptOptions, TheWordsOfCrypttabBecomeFlags) {
  const auto wishes =
      parse_crypt_options(luks_kind(), "luks,discard,read-only,no-read-workqueue,header=/h,key-slot=3");
  ASSERT_TRUE(wishes) << wishes.error().message();
  EXPECT_EQ(wishes->activation,
            CRYPT_ACTIVATE_ALLOW_DISCARDS | CRYPT_ACTIVATE_READONLY | CRYPT_ACTIVATE_NO_READ_WORKQUEUE);
  EXPECT_EQ(wishes->header, "/h");
  EXPECT_EQ(wishes->key_slot, 3);
  EXPECT_TRUE(wishes->is_read_only);
  EXPECT_EQ(parse_crypt_options(luks_kind(), "")->activation, 0U);
  EXPECT_EQ(parse_crypt_options(luks_kind(), "same-cpu-crypt,submit-from-crypt-cpus,no-write-workqueue")
                ->activation,
            CRYPT_ACTIVATE_SAME_CPU_CRYPT | CRYPT_ACTIVATE_SUBMIT_FROM_CRYPT_CPUS |
                CRYPT_ACTIVATE_NO_WRITE_WORKQUEUE);
}

TEST(CryptOptions, AWordThatIsNotKnownIsNamed) {
  for (const auto* options : {"discrad", "discard,tmp", "key-slot=", "key-slot=x", "key-slot=-1",
                              "key-slot=32", "header=relative", "header=", "offset=8"}) {
    EXPECT_EQ(parse_crypt_options(luks_kind(), options).error().kind(), ErrorKind::kInvalid) << options;
  }
  EXPECT_THAT(parse_crypt_options(luks_kind(), "discrad").error().message(), HasSubstr("'discrad'"));
}

TEST(CryptOptions, AMappingsNameIsOneWordOfPlainCharacters) {
  EXPECT_TRUE(check_mapping_name("data-1_a.b:c=d@e#f+g"));
  EXPECT_TRUE(check_mapping_name(std::string(127, 'a')));
  for (const auto& name : {std::string(), std::string("a/b"), std::string(".."), std::string("control"),
                           std::string("a b"), std::string("a\n"), std::string(128, 'a')}) {
    EXPECT_FALSE(check_mapping_name(name)) << name;
  }
}

TEST(BlockDevices, AreFoundByPathAndByUdevsLinks) {
  const TemporaryDirectory dev;
  put(dev / "vdb", "");
  fs::create_directories(dev / "disk/by-uuid");
  fs::create_directories(dev / "disk/by-partlabel");
  fs::create_symlink("../../vdb", dev / "disk/by-uuid/1234-abcd");
  fs::create_symlink("../../vdb", dev / "disk/by-partlabel/my\\x20data");
  const fs::path vdb = fs::canonical(dev / "vdb");
  EXPECT_EQ(find_device("UUID=1234-abcd", dev / "").value(), vdb);
  EXPECT_EQ(find_device("PARTLABEL=my data", dev / "").value(), vdb);
  EXPECT_EQ(find_device((dev / "vdb").string(), dev / "").value(), vdb);
  EXPECT_EQ(find_device("UUID=none", dev / "").error().kind(), ErrorKind::kNotFound);
  EXPECT_EQ(find_device("UUID=../../vdb", dev / "").error().kind(), ErrorKind::kNotFound);
  for (const auto* name : {"", "vdb", "UUID=", "ID=x"}) {
    EXPECT_EQ(find_device(name, dev / "").error().kind(), ErrorKind::kInvalid) << name;
  }
}

TEST(MountTable, EscapesAreUndoneAndOddLinesLeftOut) {
  const auto mounted = parse_mounted(
      "30 1 253:0 / /srv/my\\040data rw,relatime shared:1 - ext4 /dev/mapper/data rw\n"
      "31 1 0:40 / /proc rw - proc proc rw\n"
      "odd line\n");
  ASSERT_EQ(mounted.size(), 2U);
  EXPECT_EQ(mounted[0].number, "253:0");
  EXPECT_EQ(mounted[0].mountpoint, "/srv/my data");
  EXPECT_EQ(mounted[0].source, "/dev/mapper/data");
  EXPECT_EQ(mounted[1].source, "proc");
}

TEST(MountTable, FstabLinesWithoutAMountPointAreNone) {
  const auto lines = parse_fstab(
      "# comment /x\n"
      "UUID=\"12-ab\" /srv ext4 noauto 0 2\n"
      "/dev/mapper/swap none swap sw 0 0\n"
      "/dev/mapper/a\\040b\t/mnt/x\\134y auto\n");
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].source, "UUID=12-ab");
  EXPECT_EQ(lines[1].source, "/dev/mapper/a b");
  EXPECT_EQ(lines[1].mountpoint, "/mnt/x\\y");
}

/// A machine with a disk vdb under the LUKS mapping "data", vdc with LUKS that is closed, and a plain dm
/// device.
class LuksMachine : public testing::Test {
 protected:
  LuksMachine() {
    for (const auto* node : {"vdb", "vdc", "vdd"}) fs::create_directories(sys() / node);
    mapping("dm-0", "data", "CRYPT-LUKS2-1234-data", "253:0", "vdb");
    mapping("dm-1", "vg-root", "LVM-5678", "253:1", "vdd");
    std::string header("LUKS\xba\xbe\0\2", 8);
    header.resize(168, '\0');
    put(dev() / "vdc", header + "9d9a1f4c-2f7e-4c37-9a0e-7f1f7b1a0c55" + std::string(4096, '\0'));
    put(dev() / "vdb", std::string(4096, '\0'));
    put(dev() / "vdd", "short");
    put(directory_ / "mountinfo", "30 1 253:0 / /srv rw - ext4 /dev/mapper/data rw\n");
  }

  void mapping(const std::string& node, const std::string& name, const std::string& uuid,
               const std::string& number, const std::string& below) const {
    put(sys() / node / "dm/name", name + "\n");
    put(sys() / node / "dm/uuid", uuid + "\n");
    put(sys() / node / "dev", number + "\n");
    fs::create_directories(sys() / node / "slaves" / below);
    fs::create_directories(sys() / node / "holders");
  }

  [[nodiscard]] fs::path sys() const { return directory_ / "sys"; }
  [[nodiscard]] fs::path dev() const { return directory_ / "dev"; }
  [[nodiscard]] std::string device(const std::string& name) const { return fs::canonical(dev() / name); }

  [[nodiscard]] std::unique_ptr<Unlocker> unlocker() const {
    CryptOptions options;
    options.devices = dev();
    options.blocks = sys();
    options.mount_table = directory_ / "mountinfo";
    options.fstab = directory_ / "fstab";
    options.device_wait = device_wait_;
    return make_luks_unlocker(options);
  }

  [[nodiscard]] Outcome open_one(const std::string& name, const repository::VolumeSettings& settings,
                                 const std::stop_token& stop = {}) const {
    const auto key = bytes_of("key");
    const Unlocker::Volume volume{name, repository::VolumeKind::kLuks, key, {}, settings};
    return unlocker()->open(std::span(&volume, 1), Attempt::kOpen, stop).front();
  }

  TemporaryDirectory directory_;
  std::chrono::milliseconds device_wait_{0};
};

TEST_F(LuksMachine, DiscoverFindsWhatIsOpenByItsNameAndWhatIsClosedByItsUuid) {
  const auto states = unlocker()->discover();
  ASSERT_TRUE(states) << states.error().message();
  ASSERT_EQ(states->size(), 2U);
  EXPECT_EQ((*states)[0].name, "data");
  EXPECT_TRUE((*states)[0].is_open);
  EXPECT_EQ((*states)[0].mountpoint, "/srv");
  EXPECT_EQ((*states)[1].name, "UUID=9d9a1f4c-2f7e-4c37-9a0e-7f1f7b1a0c55");
  EXPECT_FALSE((*states)[1].is_open);
}

TEST_F(LuksMachine, InspectTellsOpenClosedAndMissing) {
  const auto states = unlocker()->inspect(
      {{"data", {device("vdb"), {}, {}}}, {"other", {device("vdc"), {}, {}}}, {"gone", {"UUID=1", {}, {}}}});
  ASSERT_TRUE(states);
  EXPECT_TRUE((*states)[0].is_open);
  EXPECT_TRUE((*states)[0].is_mounted);
  EXPECT_EQ((*states)[1].presence, Presence::kPresent);
  EXPECT_FALSE((*states)[1].is_open);
  EXPECT_EQ((*states)[2].presence, Presence::kMissing);
}

TEST_F(LuksMachine, AMappingThatIsThereIsAlreadyOpen) {
  EXPECT_EQ(open_one("data", {device("vdb"), {}, {}}).happened, Happened::kAlreadyOpen);
}

TEST_F(LuksMachine, AMappingOfAnotherDeviceIsNeverTakenForTheVolume) {
  const auto outcome = open_one("data", {device("vdc"), {}, {}});
  EXPECT_EQ(outcome.happened, Happened::kFailed);
  EXPECT_THAT(outcome.detail, HasSubstr("belongs to another device (vdb)"));
  EXPECT_THAT(open_one("vg-root", {device("vdd"), {}, {}}).detail, HasSubstr("belongs to another device"));
}

TEST_F(LuksMachine, ADeviceThatIsOpenUnderAnotherNameIsSaidToBe) {
  EXPECT_THAT(open_one("mine", {device("vdb"), {}, {}}).detail,
              HasSubstr("open already, as /dev/mapper/data"));
}

TEST_F(LuksMachine, AnImageFileIsFoundByItsLoopDevice) {
  put(directory_ / "image", "");
  const auto image = fs::canonical(directory_ / "image").string();
  put(sys() / "loop3/loop/backing_file", image + "\n");
  mapping("dm-2", "filed", "CRYPT-LUKS1-ab-filed", "253:2", "loop3");
  EXPECT_EQ(open_one("filed", {image, {}, {}}).happened, Happened::kAlreadyOpen);
}

TEST_F(LuksMachine, ADeviceWithChecksumsIsFoundBelowThem) {
  mapping("dm-3", "sums_dif", "CRYPT-SUBDEV-12-sums_dif", "253:3", "vdc");
  mapping("dm-4", "sums", "CRYPT-LUKS2-12-sums", "253:4", "dm-3");
  EXPECT_EQ(open_one("sums", {device("vdc"), {}, {}}).happened, Happened::kAlreadyOpen);
}

TEST_F(LuksMachine, ALogicalVolumesDisksAreNotItsDevice) {
  mapping("dm-3", "vg-inner", "LVM-99", "253:3", "vdc");
  mapping("dm-4", "inner", "CRYPT-LUKS2-12-inner", "253:4", "dm-3");
  EXPECT_THAT(open_one("inner", {device("vdc"), {}, {}}).detail,
              HasSubstr("belongs to another device (dm-3)"));
}

TEST_F(LuksMachine, WhatCannotBeTriedIsToldApart) {
  EXPECT_EQ(open_one("gone", {"UUID=1", {}, {}}).happened, Happened::kMissing);
  EXPECT_THAT(open_one("odd", {device("vdc"), {}, "tmp"}).detail, HasSubstr("'tmp'"));
  EXPECT_EQ(open_one("a/b", {device("vdc"), {}, {}}).happened, Happened::kFailed);
}

/// Whether a thread of this process waits for something.
bool sleeps(pid_t thread) {
  std::ifstream stat("/proc/self/task/" + std::to_string(thread) + "/stat");
  std::string text;
  std::getline(stat, text);
  return text.find(") S ") != std::string::npos;
}

TEST_F(LuksMachine, ADeviceThatUdevFindsLateIsWaitedFor) {
  device_wait_ = std::chrono::minutes(10);
  const auto unlockers_thread = ::gettid();
  std::jthread udev([&] {
    while (!sleeps(unlockers_thread)) std::this_thread::yield();
    fs::create_directories(dev() / "disk/by-uuid");
    fs::create_symlink("../../vdb", dev() / "disk/by-uuid/77");
  });
  EXPECT_EQ(open_one("data", {"UUID=77", {}, {}}).happened, Happened::kAlreadyOpen);
}

TEST_F(LuksMachine, AStopEndsTheWaitForADevice) {
  device_wait_ = std::chrono::hours(1);
  std::stop_source stop;
  std::jthread person([&] { stop.request_stop(); });
  EXPECT_EQ(open_one("gone", {"UUID=1", {}, {}}, stop.get_token()).happened, Happened::kMissing);
}

TEST_F(LuksMachine, AFileThatIsMissingIsNotWaitedFor) {
  device_wait_ = std::chrono::hours(1);
  EXPECT_EQ(open_one("gone", {(directory_ / "gone").string(), {}, {}}).happened, Happened::kMissing);
}

TEST_F(LuksMachine, WithoutTheLibraryEveryVolumeSaysWhatToInstall) {
  CryptOptions options;
  options.libraries = {"libcryptsetup-that-is-not-there.so"};
  const auto key = bytes_of("key");
  const Unlocker::Volume volume{"data", repository::VolumeKind::kLuks, key, {}, {device("vdc"), {}, {}}};
  const auto outcomes = make_luks_unlocker(options)->open(std::span(&volume, 1), Attempt::kOpen, {});
  EXPECT_EQ(outcomes.front().happened, Happened::kFailed);
  EXPECT_THAT(outcomes.front().remedy, HasSubstr("libcryptsetup12"));
}

TEST_F(LuksMachine, ClosingLeavesAloneWhatIsNotOfLuks) {
  const auto outcomes = unlocker()->close({{"none"}, {"vg-root"}}, {});
  EXPECT_EQ(outcomes[0].happened, Happened::kAlreadyClosed);
  EXPECT_EQ(outcomes[1].happened, Happened::kNotAVolume);
}

TEST_F(LuksMachine, AMappingThatTookAVolumesNameIsNotClosedForIt) {
  const auto outcomes = unlocker()->close({{"data", {device("vdc"), {}, {}}}}, {});
  EXPECT_EQ(outcomes.front().happened, Happened::kFailed);
  EXPECT_THAT(outcomes.front().detail, HasSubstr("belongs to another device (vdb)"));
}

/// The same machine with programs in the place of mount(8), umount(8) and blkid(8), which keep what they were
/// told.
class LuksMounting : public LuksMachine {
 protected:
  LuksMounting() {
    put(dev() / "mapper/data", "");
    put(directory_ / "mountinfo", "");
    program("mount", "exit 0");
    program("umount", "exit 0");
    program("blkid", "case \"$*\" in *UUID*) echo 12-ab;; *LABEL*) echo 'my \"disk\"';; esac");
  }

  void program(const std::string& name, const std::string& what) const {
    const auto path = directory_ / name;
    put(path,
        "#!/bin/sh\necho " + name + " \"$@\" >>" + (directory_ / "calls").string() + "\n" + what + "\n");
    fs::permissions(path, fs::perms::owner_all);
  }

  [[nodiscard]] std::unique_ptr<Unlocker> mounter() const {
    CryptOptions options;
    options.devices = dev();
    options.blocks = sys();
    options.mount_table = directory_ / "mountinfo";
    options.fstab = directory_ / "fstab";
    options.mount = directory_ / "mount";
    options.umount = directory_ / "umount";
    options.blkid = directory_ / "blkid";
    options.manager = directory_ / "no-manager";
    return make_luks_unlocker(options);
  }

  [[nodiscard]] MountOutcome mount_one(const repository::VolumeSettings& settings) const {
    const auto outcomes = mounter()->mount({{"data", settings}}, {});
    return outcomes && outcomes->size() == 1 ? outcomes->front() : MountOutcome();
  }

  [[nodiscard]] std::string calls() const {
    std::ifstream file(directory_ / "calls");
    return {std::istreambuf_iterator<char>(file), {}};
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

TEST_F(LuksMounting, WhereNobodySaysWhereNothingIsMounted) {
  const auto outcomes = mounter()->mount({{"data", {}}}, {});
  ASSERT_TRUE(outcomes);
  EXPECT_TRUE(outcomes->empty());
  EXPECT_EQ(calls(), "");
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
  EXPECT_EQ(calls(), "umount -- /a/c\numount -- /a\n");
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
  EXPECT_EQ(calls(), "umount -- /a/c\numount -- /a\n");
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

TEST_F(LuksMachine, SettingsAreCheckedBeforeTheyAreStored) {
  EXPECT_TRUE(unlocker()->check({"data", {"UUID=1", "/srv", "discard"}}));
  EXPECT_FALSE(unlocker()->check({"data", {"", "/srv", "discard"}}));
  EXPECT_FALSE(unlocker()->check({"data", {"UUID=1", "srv", ""}}));
  EXPECT_FALSE(unlocker()->check({"data", {"UUID=1", "", "nonsense"}}));
  EXPECT_FALSE(unlocker()->check({"tank/data", {"UUID=1", "", ""}}));
}

}  // namespace
}  // namespace zkv::unlock
