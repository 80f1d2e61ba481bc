// What is remembered of volumes whose keys fitted, and what tells that one was changed since.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "base/encoding.h"
#include "fake_zfs.h"
#include "host/dependents.h"
#include "host/drift.h"
#include "host/drift_record.h"
#include "storage_world.h"
#include "unlock/registry.h"
#include "unlock/zfs_fingerprint.h"
#include "unlock_world.h"

namespace zkv::host {
namespace {

namespace fs = std::filesystem;
using test::kHexA;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using unlock::difference;
using unlock::Fingerprint;
using unlock::Happened;
using unlock::last_key_change;

constexpr Time kThen{std::chrono::milliseconds(1'795'000'000'123)};

// --- one fingerprint and another ---

TEST(Fingerprints, OfTheSameKeyDifferInNothing) {
  const Fingerprint before{"a", {{"salt", "1"}}, "2026-11-28.10:00:00", {}};
  EXPECT_EQ(difference(before, before), "");
}

TEST(Fingerprints, AMarkThatIsAnotherOrGoneTellsAndOneMoreDoesNot) {
  const Fingerprint before{"a", {{"key slot 0", "x"}}, {}, {}};
  EXPECT_THAT(difference(before, {"a", {{"key slot 0", "y"}}, {}, {}}), HasSubstr("key slot 0 is another"));
  EXPECT_THAT(difference(before, {"a", {{"key slot 1", "x"}}, {}, {}}), HasSubstr("key slot 0 is gone"));
  EXPECT_EQ(difference(before, {"a", {{"key slot 0", "x"}, {"key slot 1", "z"}}, {}, {}}), "");
}

TEST(Fingerprints, AChangeThatTheSystemHasForgottenIsNone) {
  const Fingerprint before{"a", {}, "2026-11-28.10:00:00", {}};
  EXPECT_EQ(difference(before, {"a", {}, "", {}}), "");
  EXPECT_THAT(difference(before, {"a", {}, "2026-11-29.10:00:00", {}}), HasSubstr("2026-11-29"));
  EXPECT_THAT(difference({"a", {}, "", {}}, before), HasSubstr("2026-11-28"));
}

TEST(Fingerprints, WhatCouldNotBeSeenThenIsNoChangeNow) {
  const Fingerprint blind{"a", {}, "", "the history cannot be read"};
  EXPECT_EQ(difference(blind, {"a", {}, "2026-11-28.10:00:00", {}}), "");
}

TEST(DriftRecord, IsOfOneRepositoryUntilThatIsGone) {
  const test::TemporaryDirectory directory;
  const auto own = directory / "own";
  const auto other = directory / "other";
  std::ofstream(own) << "a repository";
  std::ofstream(other) << "another";
  fs::create_symlink(own, directory / "link");
  DriftRecord record;
  EXPECT_TRUE(belongs_to(record, own));
  EXPECT_TRUE(belongs_to(record, directory / "link"));
  EXPECT_FALSE(belongs_to(record, other));
  EXPECT_EQ(record.repository, own);
  fs::remove(own);
  EXPECT_TRUE(belongs_to(record, other));
  EXPECT_EQ(record.repository, other);
}

// --- the history of a pool ---

TEST(KeyChanges, AreTakenByNameToTheLastLetter) {
  const std::string_view history =
      "History for 'tank':\n"
      "2026-11-28.09:00:00 zpool create tank /dev/vdb\n"
      "2026-11-28.10:00:00 ioctl change-key\n"
      "    input:\n"
      "        props:\n"
      "2026-11-28.10:00:00 zfs change-key -o keyformat=raw tank/a b\n"
      "2026-11-28.11:00:00 ioctl load-key\n";
  EXPECT_EQ(last_key_change(history, "tank/a b"), "2026-11-28.10:00:00");
  EXPECT_EQ(last_key_change(history, "tank/a"), "");
}

TEST(KeyChanges, WithoutANameAreEverybodys) {
  const std::string_view history =
      "2026-11-28.10:00:00 ioctl change-key\n"
      "2026-11-28.11:00:00 ioctl change-key\n"
      "2026-11-28.11:00:00 zfs change-key tank/a\n";
  EXPECT_EQ(last_key_change(history, "tank/a"), "2026-11-28.11:00:00");
  EXPECT_EQ(last_key_change(history, "tank/b"), "2026-11-28.10:00:00");
  EXPECT_EQ(last_key_change("2026-11-28.12:00:00 ioctl change-key", "tank/b"), "2026-11-28.12:00:00");
}

TEST(KeyChanges, AreNoneInAHistoryOfOtherThings) {
  EXPECT_EQ(last_key_change("", "tank/a"), "");
  EXPECT_EQ(last_key_change("History for 'tank':\n2026-11-28.10:00:00 zfs create tank/a\n", "tank/a"), "");
}

// --- the record ---

class Records : public testing::Test {
 protected:
  [[nodiscard]] Unlockers unlockers() const {
    return unlock::all_unlockers(
        {.zfs = zfs_.options(), .crypt = {.devices = "/nowhere", .blocks = "/nowhere", .fstab = "/nowhere"}});
  }
  [[nodiscard]] static MountReport report(Happened happened, const std::string& detail = {}) {
    return {.volumes = {{"zfs", {"tank/a", happened, detail, {}, {}}, {}}},
            .mounts = {},
            .mount_errors = {},
            .changing = {},
            .warnings = {}};
  }
  [[nodiscard]] Drift drift(const DriftRecord& record) const {
    return find_drift(record, {}, unlockers(), {"/nowhere", "/nowhere", "/nowhere"});
  }

  test::FakeZfs zfs_;
  test::TemporaryDirectory folder_;
  fs::path path_ = folder_ / "state/drift.json";
};

TEST_F(Records, GoToTheFileAndBack) {
  EXPECT_TRUE(read_drift_record(path_).value().volumes.empty());
  ASSERT_TRUE(change_drift_record(path_, [](DriftRecord& record) {
    record.drilled = kThen;
    record.accepted = {"luks:UUID=12"};
    record.volumes["tank/é"] = {"zfs", {"d", "m", "o", "p"}, kThen, {"tank/é", {{"a", "b"}}, "c", "u"}, "r"};
  }));
  const auto record = read_drift_record(path_).value();
  EXPECT_EQ(record.drilled, kThen);
  EXPECT_THAT(record.accepted, ElementsAre("luks:UUID=12"));
  const auto& volume = record.volumes.at("tank/é");
  EXPECT_EQ(volume.settings, (repository::VolumeSettings{"d", "m", "o", "p"}));
  EXPECT_EQ(volume.fingerprint.marks.at("a"), "b");
  EXPECT_EQ(volume.fingerprint.volume + volume.fingerprint.last_change + volume.fingerprint.unseen,
            "tank/écu");
  EXPECT_EQ(volume.refused, "r");
}

TEST_F(Records, ThatCannotBeUnderstoodSaySoAndAreReplaced) {
  fs::create_directories(path_.parent_path());
  for (const auto* text : {"", "[]", "{}", "{\"volumes\":[]}"}) {
    std::ofstream(path_) << text;
    EXPECT_EQ(read_drift_record(path_).error().kind(), ErrorKind::kCorrupt) << text;
  }
  ASSERT_TRUE(change_drift_record(path_, [](DriftRecord& record) { record.drilled = kThen; }));
  EXPECT_EQ(read_drift_record(path_).value().drilled, kThen);
}

TEST_F(Records, OnlyAKeyThatWasSeenToFitIsProved) {
  zfs_.add_root("tank/a", kHexA, {{"guid", "5"}});
  for (const auto happened : {Happened::kOpened, Happened::kKeyFits}) {
    DriftRecord record;
    take_in(record, report(happened), true, unlockers(), kThen);
    EXPECT_EQ(record.volumes.at("tank/a").proved, kThen);
    EXPECT_EQ(record.volumes.at("tank/a").fingerprint.marks.at("identity (guid)"), "5");
  }
  for (const auto happened :
       {Happened::kAlreadyOpen, Happened::kWrongKey, Happened::kUntried, Happened::kMissing}) {
    DriftRecord record;
    take_in(record, report(happened), true, unlockers(), kThen);
    EXPECT_EQ(record.volumes.at("tank/a").proved, Time());
  }
}

TEST_F(Records, AKeyThatDidNotFitIsAFindingUntilOneDoes) {
  zfs_.add_root("tank/a", kHexA);
  DriftRecord record;
  take_in(record, report(Happened::kWrongKey, "not its key"), true, unlockers(), kThen);
  ASSERT_THAT(drift(record).findings, SizeIs(1));
  EXPECT_THAT(drift(record).findings[0].what, HasSubstr("not its key"));
  take_in(record, report(Happened::kOpened), true, unlockers(), kThen);
  EXPECT_THAT(drift(record).findings, IsEmpty());
}

TEST_F(Records, WhatIsOpenAlreadyKeepsItsProof) {
  zfs_.add_root("tank/a", kHexA, {{"guid", "5"}});
  DriftRecord record;
  take_in(record, report(Happened::kOpened), true, unlockers(), kThen);
  zfs_.set("tank/a", "guid", "6");
  take_in(record, report(Happened::kAlreadyOpen), true, unlockers(), kThen + std::chrono::hours(1));
  EXPECT_THAT(drift(record).findings, SizeIs(1));
}

TEST_F(Records, WhatOpenedByTheKeyOfLastTimeIsProvedAndNotLookedAtAgain) {
  zfs_.add_root("tank/a", kHexA, {{"guid", "5"}});
  DriftRecord record;
  auto as_before = report(Happened::kOpened);
  as_before.volumes.front().outcome.is_as_before = true;
  take_in(record, as_before, true, unlockers(), kThen);
  EXPECT_EQ(record.volumes["tank/a"].fingerprint.marks.size(), 4U);  // It had never been looked at.
  const auto looks = zfs_.calls_of("zfs").size();
  take_in(record, as_before, true, unlockers(), kThen + std::chrono::hours(1));
  EXPECT_EQ(zfs_.calls_of("zfs").size(), looks);
  EXPECT_EQ(record.volumes["tank/a"].proved, kThen + std::chrono::hours(1));
}

TEST_F(Records, OfAllVolumesForgetOthersAndOfSomeDoNot) {
  DriftRecord record;
  record.volumes["tank/gone"].kind = "zfs";
  take_in(record, report(Happened::kOpened), false, unlockers(), kThen);
  EXPECT_TRUE(record.volumes.contains("tank/gone"));
  take_in(record, report(Happened::kOpened), true, unlockers(), kThen);
  EXPECT_FALSE(record.volumes.contains("tank/gone"));
}

TEST_F(Records, FollowTheRepositoryAndBelieveNoProofOfAKeyThatWasReplaced) {
  repository::VolumeKeys keys;
  const std::string key = "key";
  ASSERT_TRUE(keys.add("tank/a", repository::VolumeKind::kZfs, bytes_of(key)));
  ASSERT_TRUE(keys.add("tank/b", repository::VolumeKind::kZfs, bytes_of(key)));
  DriftRecord record;
  record.volumes["tank/a"] = {"zfs", {}, kThen, {}, {}};
  record.volumes["tank/b"] = {"zfs", {}, kThen, {}, {}};
  record.volumes["tank/gone"] = {"zfs", {}, kThen, {}, {}};
  record.accepted = {"zfs:tank/b", "zfs:tank/other"};
  take_in(record, keys, "tank/b");
  EXPECT_THAT(record.accepted, testing::ElementsAre("zfs:tank/other")) << "what is stored is no stranger";
  EXPECT_THAT(record.volumes, SizeIs(2));
  EXPECT_EQ(record.volumes.at("tank/a").proved, kThen);
  EXPECT_EQ(record.volumes.at("tank/b").proved, Time());
}

// --- findings ---

TEST(Ends, OnlyWhatEndsSoonOrHasEndedIsTold) {
  EXPECT_FALSE(finding_of_end("gw", "its certificate", std::nullopt, kThen, ""));
  EXPECT_FALSE(finding_of_end("gw", "its certificate", kThen + kSoon + std::chrono::seconds(1), kThen, ""));
  EXPECT_THAT(finding_of_end("gw", "its certificate", kThen + kSoon, kThen, "")->what,
              HasSubstr("ends soon"));
  EXPECT_THAT(finding_of_end("gw", "its certificate", kThen, kThen, "")->what, HasSubstr("ended at"));
}

/// The tables of a machine with one mapping in the repository.
class Dependents : public testing::Test {
 protected:
  Dependents() { record_.volumes["data"] = {"luks", {"/dev/vdb"}, {}, {}, {}}; }

  [[nodiscard]] std::vector<Finding> check(const std::string& fstab, const std::string& crypttab = {}) const {
    std::ofstream(folder_ / "fstab") << fstab;
    std::ofstream(folder_ / "crypttab") << crypttab;
    return check_dependents(record_, {},
                            {"/nowhere", folder_ / "fstab", folder_ / "crypttab", storage_.places()})
        .findings;
  }

  DriftRecord record_;
  test::TemporaryDirectory folder_;
  test::StorageWorld storage_;
};

TEST_F(Dependents, ALineOfFstabThatTheBootWaitsForIsToldAndOneThatItDoesNotIsNot) {
  EXPECT_THAT(check("/dev/mapper/data /srv ext4 defaults 0 2\n"), SizeIs(1));
  EXPECT_THAT(check("/dev/mapper/data /srv ext4\n"), SizeIs(1));
  EXPECT_THAT(check("/dev/mapper/data /srv ext4 noatime,nofail 0 2\n"), IsEmpty());
  EXPECT_THAT(check("/dev/mapper/data /srv ext4 noauto\n"), IsEmpty());
  EXPECT_THAT(check("/dev/mapper/other /srv ext4 defaults\n/dev/vda1 / ext4 defaults\n"), IsEmpty());
}

TEST_F(Dependents, ALineOfFstabByTheFilesystemOrByALogicalVolumeOnTheMapping) {
  storage_.disk("vdb");
  storage_.disk("dm-0", {"vdb"}, "data");
  storage_.write("blocks/dm-0/dm/uuid", "CRYPT-LUKS2-1-data\n");
  storage_.disk("dm-1", {"dm-0"}, "nas-home");
  std::filesystem::create_directories(storage_.path("dev/disk/by-uuid"));
  std::filesystem::create_symlink("../../dm-0", storage_.path("dev/disk/by-uuid/12-ab"));
  const auto by_path = check(storage_.path("dev/mapper/nas-home").string() + " /home ext4 defaults 0 2\n");
  ASSERT_THAT(by_path, SizeIs(1));
  EXPECT_THAT(by_path.front().what, HasSubstr("nas-home, on data"));
  EXPECT_THAT(check("UUID=12-ab /srv ext4 defaults 0 2\n"), SizeIs(1));
  EXPECT_THAT(check("UUID=12-ab /srv ext4 nofail 0 2\n"), IsEmpty());
  EXPECT_THAT(check("UUID=34-cd /srv ext4 defaults 0 2\n"), IsEmpty());
}

TEST_F(Dependents, APoolThatNoBootCanImportIsTold) {
  record_.volumes["rpool/home"] = {"zfs", {}, {}, {}, {}};
  storage_.disk("vdb");
  storage_.disk("dm-0", {"vdb"}, "data");
  storage_.write("blocks/dm-0/dm/uuid", "CRYPT-LUKS2-1-data\n");
  storage_.pool({"dm-0"});
  const auto found = check("");
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found.front().about, "rpool/home");
  EXPECT_THAT(found.front().remedy, HasSubstr("--keep-key --options import rpool/home"));
  record_.volumes["rpool/home"].settings.options = "import";
  EXPECT_THAT(check(""), IsEmpty());
  record_.volumes["rpool/home"].settings.options = "";
  storage_.pool({"vdb"});
  EXPECT_THAT(check(""), IsEmpty());
}

TEST_F(Dependents, ALineOfCrypttabThatAsksToo) {
  EXPECT_THAT(check("", "data /dev/vdb none luks\n"), SizeIs(1));
  EXPECT_THAT(check("", "data /dev/vdb none luks,noauto\nswap /dev/vdc /dev/urandom swap\n"), IsEmpty());
  EXPECT_THAT(check("", "data /dev/vdb /run/zkv/cryptsetup.sock luks,_netdev,nofail\n"), IsEmpty());
}

TEST_F(Dependents, WhatTheSystemLiesOnIsTheInitramfssToOpen) {
  encrypt_root(storage_, "data");
  EXPECT_THAT(check("/dev/mapper/data / ext4 errors=remount-ro 0 1\n", "data /dev/vdb none luks,discard\n"),
              IsEmpty());
}

TEST_F(Dependents, WithoutSystemctlItSaysWhatWasNotLookedAt) {
  EXPECT_THAT(check_dependents(record_, {}, {"/nowhere", "/nowhere", "/nowhere", storage_.places()}).notes,
              SizeIs(1));
}

}  // namespace
}  // namespace zkv::host
