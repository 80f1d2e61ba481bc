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
#include "luks_machine.h"
#include "unlock/block_devices.h"
#include "unlock/crypt.h"
#include "unlock/crypt_options.h"
#include "unlock/device_wait.h"
#include "unlock/mappings.h"
#include "unlock/mount_table.h"

namespace zkv::unlock {
namespace {

namespace fs = std::filesystem;
using test::LuksMachine;
using test::put;
using test::TemporaryDirectory;
using testing::ElementsAre;
using testing::HasSubstr;

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
  EXPECT_EQ(mounted[0].options, "rw,relatime");
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
  EXPECT_EQ(waits_told_, std::vector<std::string>{"data"});
}

TEST_F(LuksMachine, ADeviceThatCameWhileOthersWereOpenedIsSeenThoughTheTimeIsUp) {
  fs::create_directories(dev() / "disk/by-uuid");
  fs::create_symlink("../../vdb", dev() / "disk/by-uuid/77");
  const auto long_ago = std::chrono::steady_clock::now() - std::chrono::hours(1);
  EXPECT_EQ(await_devices({"UUID=66", "UUID=77"}, dev(), long_ago, {}), std::vector<std::size_t>{1});
  EXPECT_TRUE(await_devices({"UUID=66"}, dev(), long_ago, {}).empty());
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
  EXPECT_TRUE(waits_told_.empty());
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

TEST_F(LuksMachine, SettingsAreCheckedBeforeTheyAreStored) {
  EXPECT_TRUE(unlocker()->check({"data", {"UUID=1", "/srv", "discard"}}));
  EXPECT_FALSE(unlocker()->check({"data", {"", "/srv", "discard"}}));
  EXPECT_FALSE(unlocker()->check({"data", {"UUID=1", "srv", ""}}));
  EXPECT_FALSE(unlocker()->check({"data", {"UUID=1", "", "nonsense"}}));
  EXPECT_FALSE(unlocker()->check({"tank/data", {"UUID=1", "", ""}}));
}

}  // namespace
}  // namespace zkv::unlock
