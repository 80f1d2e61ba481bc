// Mounting what hangs on keys, and going back: order, exceptions, failures.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "fake_zfs.h"
#include "unlock/zfs_mount.h"
#include "unlock/zfs_place.h"
#include "unlock_world.h"

namespace zkv::unlock {
namespace {

using test::FakeZfs;
using test::happened;
using test::kHexA;
using test::kHexB;
using testing::AllOf;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;

auto mount_of(const std::string& filesystem, MountHappened what) {
  return AllOf(Field(&MountOutcome::filesystem, filesystem), Field(&MountOutcome::happened, what));
}

TEST(ZfsMount, MountsAllThatHangsOnTheKeyByMountpoint) {
  FakeZfs zfs;
  zfs.add_root("tank/a", kHexA, {{"keystatus", "available"}, {"mountpoint", "/srv"}});
  zfs.add_child("tank/a/x", "tank/a", {{"mountpoint", "/srv/z"}});
  zfs.add_child("tank/a/y", "tank/a", {{"mountpoint", "/srv/z/deep"}});
  zfs.add_root("tank/a/other", kHexB, {{"mountpoint", "/other"}});
  const auto mounts = make_zfs_unlocker(zfs.options())->mount({{"tank/a"}}, {});
  ASSERT_TRUE(mounts) << mounts.error().message();
  EXPECT_THAT(*mounts, ElementsAre(mount_of("tank/a", MountHappened::kMounted),
                                   mount_of("tank/a/x", MountHappened::kMounted),
                                   mount_of("tank/a/y", MountHappened::kMounted)));
  EXPECT_THAT(zfs.calls_of("zfs mount"),
              ElementsAre("zfs mount tank/a", "zfs mount tank/a/x", "zfs mount tank/a/y"));
}

/// A clone keeps the encryption root of what it was cloned from, wherever in the pool it is made.
TEST(ZfsMount, AClonesPlaceIsAnywhereInThePool) {
  FakeZfs zfs;
  zfs.add_root("tank/a", kHexA, {{"keystatus", "available"}, {"mountpoint", "/srv/a"}});
  zfs.add_root("tank/z", kHexB, {{"mountpoint", "/srv/z"}});
  zfs.add_child("tank/restored", "tank/a", {{"mountpoint", "/srv/restored"}});
  zfs.add("tank/plain", {{"mountpoint", "/srv/plain"}});
  const auto unlocker = make_zfs_unlocker(zfs.options());
  const auto surveys = unlocker->survey({{"tank/a"}});
  ASSERT_TRUE(surveys) << surveys.error().message();
  EXPECT_THAT(surveys->front().places, ElementsAre("/srv/a", "/srv/restored"));
  const auto mounts = unlocker->mount({{"tank/a"}}, {});
  ASSERT_TRUE(mounts) << mounts.error().message();
  EXPECT_THAT(*mounts, ElementsAre(mount_of("tank/a", MountHappened::kMounted),
                                   mount_of("tank/restored", MountHappened::kMounted)));
  const auto unmounts = unlocker->unmount({{"tank/a"}}, {});
  ASSERT_TRUE(unmounts) << unmounts.error().message();
  EXPECT_THAT(*unmounts, ElementsAre(mount_of("tank/restored", MountHappened::kUnmounted),
                                     mount_of("tank/a", MountHappened::kUnmounted)));
  EXPECT_THAT(unlocker->close({{"tank/a"}}, {}), ElementsAre(happened("tank/a", Happened::kClosed)));
}

TEST(ZfsMount, WhatAMountHidesIsTold) {
  const test::TemporaryDirectory folder;
  std::filesystem::create_directories(folder / "empty/places/for/others");
  std::filesystem::create_directories(folder / "full/of");
  std::ofstream(folder / "full/of/files") << "written while it was not mounted";
  FakeZfs zfs;
  zfs.add_root("tank/a", kHexA, {{"keystatus", "available"}, {"mountpoint", folder / "empty"}});
  zfs.add_child("tank/a/x", "tank/a", {{"mountpoint", folder / "full"}});
  zfs.add_child("tank/a/y", "tank/a", {{"mountpoint", folder / "new"}});
  const auto mounts = make_zfs_unlocker(zfs.options())->mount({{"tank/a"}}, {});
  ASSERT_TRUE(mounts) << mounts.error().message();
  ASSERT_EQ(mounts->size(), 3U);
  EXPECT_EQ((*mounts)[0].detail, "");
  EXPECT_THAT((*mounts)[1], mount_of("tank/a/x", MountHappened::kMounted));
  EXPECT_EQ((*mounts)[1].detail, "it hides what lay in that directory");
  EXPECT_EQ((*mounts)[2].detail, "");
}

/// Who may set the mount point of one filesystem alone must not keep others closed.
TEST(ZfsMount, AMountpointThatNobodyUnderstandsKeepsNothingElseBack) {
  FakeZfs zfs;
  zfs.add_root("tank/a", kHexA, {{"keystatus", "available"}, {"mountpoint", "/srv"}});
  zfs.add_child("tank/a/odd", "tank/a", {{"mountpoint", "relative"}});
  zfs.add_child("tank/a/x", "tank/a", {{"mountpoint", "/srv/x"}});
  const auto mounts = make_zfs_unlocker(zfs.options())->mount({{"tank/a"}}, {});
  ASSERT_TRUE(mounts) << mounts.error().message();
  EXPECT_THAT(*mounts, ElementsAre(mount_of("tank/a/odd", MountHappened::kFailed),
                                   mount_of("tank/a", MountHappened::kMounted),
                                   mount_of("tank/a/x", MountHappened::kMounted)));
  EXPECT_THAT(mounts->front().detail, HasSubstr("is not understood"));
}

TEST(ZfsMount, WhatZfsSaysNothingOfIsNotPassedOver) {
  FakeZfs zfs;
  zfs.add_root("tank/a", kHexA, {{"keystatus", "available"}, {"mountpoint", "/srv"}});
  const auto mounts = make_zfs_unlocker(zfs.options())->mount({{"tank/a"}, {"tank/gone"}}, {});
  ASSERT_TRUE(mounts) << mounts.error().message();
  EXPECT_THAT(*mounts, ElementsAre(mount_of("tank/gone", MountHappened::kFailed),
                                   mount_of("tank/a", MountHappened::kMounted)));
  const auto unmounted = make_zfs_unlocker(zfs.options())->unmount({{"tank/a"}, {"tank/gone"}}, {});
  ASSERT_TRUE(unmounted) << unmounted.error().message();
  EXPECT_THAT(*unmounted, ElementsAre(mount_of("tank/a", MountHappened::kUnmounted)));
}

TEST(ZfsMount, ALinkOfAnotherUsersLeadsNowhere) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give directories away";
  const test::TemporaryDirectory folder;
  std::filesystem::create_directories(folder / "theirs/below");
  std::filesystem::create_directories(folder / "etc");
  std::filesystem::create_symlink(folder / "etc", folder / "theirs/link");
  ASSERT_EQ(::chown((folder / "theirs").c_str(), 65534, 65534), 0);
  FakeZfs zfs;
  zfs.add_root("tank/a", kHexA, {{"keystatus", "available"}, {"mountpoint", folder / "theirs/below"}});
  zfs.add_root("tank/b", kHexA, {{"keystatus", "available"}, {"mountpoint", folder / "theirs/link"}});
  zfs.add_root("tank/c", kHexA, {{"keystatus", "available"}, {"mountpoint", "/"}});
  const auto mounts = make_zfs_unlocker(zfs.options())->mount({{"tank/a"}, {"tank/b"}, {"tank/c"}}, {});
  ASSERT_TRUE(mounts) << mounts.error().message();
  EXPECT_THAT(*mounts, testing::UnorderedElementsAre(mount_of("tank/a", MountHappened::kMounted),
                                                     mount_of("tank/b", MountHappened::kFailed),
                                                     mount_of("tank/c", MountHappened::kSkipped)));
  EXPECT_THAT(zfs.calls_of("zfs mount"), ElementsAre("zfs mount tank/a"));
}

/// The kernel's table once "tank/a" was mounted, and what of it is unmounted.
class ZfsPlace : public testing::Test {
 protected:
  ZfsPlace() { zfs_.add_root("tank/a", kHexA, {{"keystatus", "available"}, {"mountpoint", theirs()}}); }

  [[nodiscard]] std::string theirs() const { return folder_ / "theirs/data"; }
  void came_up(const std::string& place, const std::string& dataset = "tank/a") const {
    std::ofstream(folder_ / "mountinfo", std::ios::app)
        << "40 1 0:60 / " << place << " rw - zfs " << dataset << " rw\n";
  }
  [[nodiscard]] std::vector<MountOutcome> mount(ZfsOptions options) {
    options.mount_table = folder_ / "mountinfo";
    options.unmount = [this](const std::string& place, Unmounting how) {
      EXPECT_EQ(how, Unmounting::kAtOnce);
      unmounted_.push_back(place);
      return Result<>();
    };
    return make_zfs_unlocker(options)->mount({{"tank/a"}}, {}).value();
  }

  FakeZfs zfs_;
  test::TemporaryDirectory folder_;
  std::vector<std::string> unmounted_;
};

TEST_F(ZfsPlace, WhoMakesALinkOfTheirDirectoryMeanwhileGetsNoMountWhereItLeads) {
  zfs_.add_child("tank/a/below", "tank/a", {{"mountpoint", theirs() + "/below"}});
  came_up("/etc/profile.d");
  for (const auto& options : {zfs_.options(), zfs_.options_with_libzfs()}) {
    zfs_.set("tank/a", "mounted", "no");
    const auto mounts = mount(options);
    EXPECT_THAT(mounts, ElementsAre(mount_of("tank/a", MountHappened::kFailed),
                                    mount_of("tank/a/below", MountHappened::kFailed)));
    EXPECT_THAT(mounts.front().detail, HasSubstr("it came up at /etc/profile.d, not at " + theirs()));
    EXPECT_THAT(unmounted_, ElementsAre("/etc/profile.d"));
    unmounted_.clear();
  }
}

TEST_F(ZfsPlace, ALinkThatStaysTheirsCountsForNothingAfterwards) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give directories away";
  std::filesystem::create_directories(folder_ / "theirs");
  std::filesystem::create_directories(folder_ / "etc");
  std::filesystem::create_symlink(folder_ / "etc", theirs());
  ASSERT_EQ(::chown((folder_ / "theirs").c_str(), 65534, 65534), 0);
  Dataset dataset;
  dataset.name = "tank/a";
  dataset.mountpoint = theirs();
  const auto leave = [](const std::string& /*place*/, Unmounting /*how*/) { return Result<>(); };
  EXPECT_FALSE(check_came_up(dataset, {{"tank/a", {std::filesystem::canonical(theirs())}}}, leave));
}

TEST_F(ZfsPlace, WhatIsWhereItBelongsStays) {
  came_up(theirs());
  came_up("/copy/of/theirs");
  came_up("/elsewhere", "tank/other");
  EXPECT_THAT(mount(zfs_.options()), ElementsAre(mount_of("tank/a", MountHappened::kMounted)));
  EXPECT_THAT(unmounted_, IsEmpty());
}

TEST_F(ZfsPlace, ALinkOfRootsIsFollowed) {
  std::filesystem::create_directories(folder_ / "disk");
  std::filesystem::create_symlink(folder_ / "disk", folder_ / "theirs");
  came_up(std::filesystem::canonical(folder_ / "disk").string() + "/data");
  EXPECT_THAT(mount(zfs_.options()), ElementsAre(mount_of("tank/a", MountHappened::kMounted)));
  EXPECT_THAT(unmounted_, IsEmpty());
}

TEST(ZfsMount, TheMountpointDecidesTheOrderAndNotTheName) {
  FakeZfs zfs;
  zfs.add_root("tank/a", kHexA, {{"keystatus", "available"}, {"mountpoint", "/srv/inner"}});
  zfs.add_root("tank/b", kHexA, {{"keystatus", "available"}, {"mountpoint", "/srv"}});
  ASSERT_TRUE(make_zfs_unlocker(zfs.options())->mount({{"tank/a"}, {"tank/b"}}, {}));
  EXPECT_THAT(zfs.calls_of("zfs mount"), ElementsAre("zfs mount tank/b", "zfs mount tank/a"));
}

TEST(ZfsMount, WhatIsMountedAlreadyIsNotHiddenByWhatItLiesIn) {
  FakeZfs zfs;
  zfs.add_root("tank/a", kHexA, {{"keystatus", "available"}, {"mountpoint", "/srv"}});
  zfs.add_root("tank/b", kHexA, {{"keystatus", "available"}, {"mountpoint", "/srv/b"}, {"mounted", "yes"}});
  zfs.add("tank/plain", {{"mountpoint", "/srv/b/plain"}, {"mounted", "yes"}});
  zfs.add("tank/beside", {{"mountpoint", "/srv2"}, {"mounted", "yes"}});
  const auto mounts = make_zfs_unlocker(zfs.options())->mount({{"tank/a"}, {"tank/b"}}, {});
  ASSERT_TRUE(mounts) << mounts.error().message();
  EXPECT_THAT(*mounts, ElementsAre(mount_of("tank/a", MountHappened::kMounted),
                                   mount_of("tank/b", MountHappened::kMounted),
                                   mount_of("tank/plain", MountHappened::kMounted)));
  EXPECT_THAT(zfs.calls_of("zfs unmount"), ElementsAre("zfs unmount tank/plain", "zfs unmount tank/b"));
  EXPECT_THAT(zfs.calls_of("zfs mount"),
              ElementsAre("zfs mount tank/a", "zfs mount tank/b", "zfs mount tank/plain"));
}

TEST(ZfsMount, WhatIsOpenIsLeftAsItIsWhereNothingComesUpOverIt) {
  FakeZfs zfs;
  zfs.add_root("tank/a", kHexA, {{"keystatus", "available"}, {"mountpoint", "/srv"}, {"mounted", "yes"}});
  zfs.add_root("tank/b", kHexA, {{"keystatus", "available"}, {"mountpoint", "/srv/b"}});
  zfs.add("tank/plain", {{"mountpoint", "/srv/c"}, {"mounted", "yes"}});
  ASSERT_TRUE(make_zfs_unlocker(zfs.options())->mount({{"tank/a"}, {"tank/b"}}, {}));
  EXPECT_THAT(zfs.calls_of("zfs unmount"), IsEmpty());
  zfs.set("tank/a", "mounted", "no");
  ASSERT_TRUE(make_zfs_unlocker(zfs.options())->mount_unheld({{"tank/a"}}, {"/"}, {}));
  EXPECT_THAT(zfs.calls_of("zfs unmount"), IsEmpty()) << "what it lies in is for later";
}

TEST(ZfsMount, WhatIsInUseBelowIsToldOfAndKeepsNothingBack) {
  FakeZfs zfs;
  zfs.add_root("tank/a", kHexA, {{"keystatus", "available"}, {"mountpoint", "/srv"}});
  zfs.add_root("tank/b", kHexA, {{"keystatus", "available"}, {"mountpoint", "/srv/b"}, {"mounted", "yes"}});
  zfs.add("tank/plain", {{"mountpoint", "/srv/c"}, {"mounted", "yes"}});
  for (const auto* name : {"tank/b", "tank/plain"}) zfs.set(name, "unmount-error", "pool or dataset is busy");
  const auto mounts = make_zfs_unlocker(zfs.options())->mount({{"tank/a"}, {"tank/b"}}, {});
  ASSERT_TRUE(mounts) << mounts.error().message();
  EXPECT_THAT(*mounts, ElementsAre(mount_of("tank/a", MountHappened::kMounted),
                                   mount_of("tank/b", MountHappened::kFailed)));
  EXPECT_THAT((*mounts)[0].detail, HasSubstr("it hides tank/plain"));
  EXPECT_THAT((*mounts)[1].detail, HasSubstr("tank/a came up over it"));
}

TEST(ZfsMount, WhatWasTakenAwayComesBackThoughWhatItLiesInFails) {
  FakeZfs zfs;
  zfs.add_root("tank/a", kHexA,
               {{"keystatus", "available"}, {"mountpoint", "/srv"}, {"mount-error", "no such place"}});
  zfs.add("tank/plain", {{"mountpoint", "/srv/c"}, {"mounted", "yes"}});
  const auto mounts = make_zfs_unlocker(zfs.options())->mount({{"tank/a"}}, {});
  ASSERT_TRUE(mounts) << mounts.error().message();
  EXPECT_THAT(mounts->front(), mount_of("tank/a", MountHappened::kFailed));
  EXPECT_EQ(zfs.get("tank/plain", "mounted"), "yes");
}

TEST(ZfsMount, LibzfsSparesTheProgramsAndKeepsTheOrder) {
  FakeZfs zfs;
  zfs.add_root("tank/a", kHexA, {{"keystatus", "available"}, {"mountpoint", "/srv/inner"}});
  zfs.add_root("tank/b", kHexA, {{"keystatus", "available"}, {"mountpoint", "/srv"}});
  const auto mounts = make_zfs_unlocker(zfs.options_with_libzfs())->mount({{"tank/a"}, {"tank/b"}}, {});
  ASSERT_TRUE(mounts);
  EXPECT_THAT(*mounts, ElementsAre(mount_of("tank/b", MountHappened::kMounted),
                                   mount_of("tank/a", MountHappened::kMounted)));
  EXPECT_THAT(zfs.calls_of("zfs_"),
              ElementsAre("zfs_open tank/b 1", "zfs_mount tank/b", "zfs_open tank/a 1", "zfs_mount tank/a"));
  EXPECT_THAT(zfs.calls_of("zfs mount"), IsEmpty());
}

TEST(ZfsMount, WhatLibzfsRefusesTheProgramTriesAndExplains) {
  FakeZfs zfs;
  zfs.add_root("tank/a", kHexA, {{"keystatus", "available"}, {"mount-error", "directory is not empty"}});
  zfs.add_root("tank/b", kHexB, {{"keystatus", "available"}});
  const auto mounts = make_zfs_unlocker(zfs.options_with_libzfs())->mount({{"tank/a"}, {"tank/b"}}, {});
  ASSERT_TRUE(mounts);
  EXPECT_THAT(*mounts, ElementsAre(mount_of("tank/a", MountHappened::kFailed),
                                   mount_of("tank/b", MountHappened::kMounted)));
  EXPECT_THAT((*mounts)[0].detail, HasSubstr("directory is not empty"));
}

TEST(ZfsMount, WhatLibzfsIsContentToLeaveUnmountedIsNotTakenForMounted) {
  FakeZfs zfs;
  zfs.add_root("tank/a", kHexA,
               {{"keystatus", "available"}, {"not-mountable", "dataset is redacted, use -f"}});
  zfs.add_child("tank/a/x", "tank/a");
  const auto mounts = make_zfs_unlocker(zfs.options_with_libzfs())->mount({{"tank/a"}}, {});
  ASSERT_TRUE(mounts);
  EXPECT_THAT(*mounts, ElementsAre(mount_of("tank/a", MountHappened::kFailed),
                                   mount_of("tank/a/x", MountHappened::kFailed)));
  EXPECT_THAT((*mounts)[0].detail, HasSubstr("redacted"));
}

TEST(ZfsMount, WhatIsHalfReceivedIsLeftAloneAndNoFailure) {
  FakeZfs zfs;
  zfs.add_root("tank/a", kHexA, {{"keystatus", "available"}, {"receive_resume_token", "1-e46e146b"}});
  zfs.add_root("tank/b", kHexB, {{"keystatus", "available"}, {"receive_resume_token", "1-e46e146b"}});
  zfs.set("tank/b", "mount-error", "Contains partially-completed state from \"zfs receive -s\"");
  const auto mounts = make_zfs_unlocker(zfs.options_with_libzfs())->mount({{"tank/a"}, {"tank/b"}}, {});
  ASSERT_TRUE(mounts);
  EXPECT_THAT(*mounts, ElementsAre(mount_of("tank/a", MountHappened::kMounted),
                                   mount_of("tank/b", MountHappened::kSkipped)));
  EXPECT_THAT((*mounts)[1].detail, "a zfs receive into it is not complete");
  EXPECT_THAT(zfs.calls_of("zfs_open"), IsEmpty()) << "libzfs would mount the half";
}

TEST(ZfsMount, ALibzfsThatDoesNotStartIsDoneWithout) {
  FakeZfs zfs;
  zfs.add_root("tank/a", kHexA, {{"keystatus", "available"}});
  zfs.put("no-dev-zfs");
  const auto mounts = make_zfs_unlocker(zfs.options_with_libzfs())->mount({{"tank/a"}}, {});
  ASSERT_TRUE(mounts);
  EXPECT_THAT(*mounts, ElementsAre(mount_of("tank/a", MountHappened::kMounted)));
  EXPECT_THAT(zfs.calls_of("zfs mount"), ElementsAre("zfs mount tank/a"));
}

TEST(ZfsMount, OneThatHangsIsGivenUpAndHoldsUpNoOther) {
  FakeZfs zfs;
  zfs.add_root("tank/a", kHexA, {{"keystatus", "available"}, {"hang", ""}});
  zfs.add_root("tank/b", kHexB, {{"keystatus", "available"}});
  auto options = zfs.options_with_libzfs();
  options.limit = std::chrono::seconds(2);
  const auto mounts = make_zfs_unlocker(options)->mount({{"tank/a"}, {"tank/b"}}, {});
  ASSERT_TRUE(mounts);
  EXPECT_THAT(*mounts, ElementsAre(mount_of("tank/a", MountHappened::kFailed),
                                   mount_of("tank/b", MountHappened::kMounted)));
  EXPECT_THAT((*mounts)[0].detail, HasSubstr("in time"));
  EXPECT_THAT(zfs.calls_of("zfs mount"), IsEmpty());
}

TEST(ZfsMount, RespectsWhatTheAdministratorSetAndWhatIsMounted) {
  FakeZfs zfs;
  zfs.add_root("tank/a", kHexA, {{"keystatus", "available"}, {"mountpoint", "none"}});
  zfs.add_child("tank/a/legacy", "tank/a", {{"mountpoint", "legacy"}});
  zfs.add_child("tank/a/manual", "tank/a", {{"canmount", "noauto"}});
  zfs.add_child("tank/a/mounted", "tank/a", {{"mounted", "yes"}});
  zfs.add_child("tank/a/off", "tank/a", {{"canmount", "off"}});
  zfs.add_child("tank/a/zone", "tank/a", {{"zoned", "on"}});
  zfs.add_child("tank/a/disk", "tank/a",
                {{"type", "volume"}, {"mountpoint", "-"}, {"canmount", "-"}, {"mounted", "-"}});
  const auto mounts = make_zfs_unlocker(zfs.options())->mount({{"tank/a"}}, {});
  ASSERT_TRUE(mounts) << mounts.error().message();
  EXPECT_THAT(*mounts,
              testing::UnorderedElementsAre(mount_of("tank/a", MountHappened::kSkipped),
                                            mount_of("tank/a/legacy", MountHappened::kSkipped),
                                            mount_of("tank/a/manual", MountHappened::kSkipped),
                                            mount_of("tank/a/mounted", MountHappened::kAlreadyMounted),
                                            mount_of("tank/a/off", MountHappened::kSkipped),
                                            mount_of("tank/a/zone", MountHappened::kSkipped)));
  EXPECT_THAT(zfs.calls_of("zfs mount"), IsEmpty());
}

TEST(ZfsMount, WhatLiesInAFailedMountWaitsAndTheRestIsMounted) {
  FakeZfs zfs;
  zfs.add_root("tank/a", kHexA, {{"keystatus", "available"}, {"mount-error", "directory is not empty"}});
  zfs.add_child("tank/a/x", "tank/a");
  zfs.add_root("tank/ab", kHexA, {{"keystatus", "available"}});
  const auto mounts = make_zfs_unlocker(zfs.options())->mount({{"tank/a"}, {"tank/ab"}}, {});
  ASSERT_TRUE(mounts) << mounts.error().message();
  EXPECT_THAT(*mounts, ElementsAre(mount_of("tank/a", MountHappened::kFailed),
                                   mount_of("tank/a/x", MountHappened::kFailed),
                                   mount_of("tank/ab", MountHappened::kMounted)));
  EXPECT_THAT((*mounts)[0].detail, HasSubstr("directory is not empty"));
  EXPECT_THAT((*mounts)[1].detail, HasSubstr("tank/a"));
}

TEST(ZfsMount, WhatSomebodyElseMountedMeanwhileIsSuccess) {
  const auto already = [](const std::vector<const Dataset*>& datasets) {
    return std::vector<Result<>>(datasets.size(), Error::exists("mounted already"));
  };
  Dataset dataset{.name = "tank/a",
                  .is_filesystem = true,
                  .key = {},
                  .encryption_root = "tank/a",
                  .mountpoint = "/a",
                  .key_file = {},
                  .can_mount = "on"};
  EXPECT_THAT(mount_all({dataset}, {}, {}, already),
              ElementsAre(mount_of("tank/a", MountHappened::kAlreadyMounted)));
}

TEST(ZfsMount, UnmountsChildrenFirstAndThenForgetsTheKeys) {
  FakeZfs zfs;
  zfs.add("tank");
  zfs.add_root("tank/a", kHexA, {{"keystatus", "available"}, {"mounted", "yes"}});
  zfs.add_child("tank/a/x", "tank/a", {{"mounted", "yes"}});
  zfs.add_root("tank/a/y", kHexB, {{"keystatus", "available"}});
  const auto unlocker = make_zfs_unlocker(zfs.options());
  ASSERT_TRUE(unlocker->unmount({{"tank/a"}, {"tank/a/y"}}, {}));
  EXPECT_THAT(unlocker->close({{"tank/a"}, {"tank/a/y"}}, {}),
              ElementsAre(happened("tank/a", Happened::kClosed), happened("tank/a/y", Happened::kClosed)));
  EXPECT_THAT(zfs.calls_of("zfs unmount"), ElementsAre("zfs unmount tank/a/x", "zfs unmount tank/a"));
  EXPECT_THAT(zfs.calls_of("lzc_unload_key"),
              ElementsAre("lzc_unload_key tank/a/y", "lzc_unload_key tank/a"));
}

TEST(ZfsMount, AKeyInUseIsNotForgotten) {
  FakeZfs zfs;
  zfs.add("tank");
  zfs.add_root("tank/a", kHexA,
               {{"keystatus", "available"}, {"mounted", "yes"}, {"mount-error", "pool or dataset is busy"}});
  zfs.add_root("tank/b", kHexA);
  const auto unlocker = make_zfs_unlocker(zfs.options());
  const auto unmounted = unlocker->unmount({{"tank/a"}, {"tank/b"}}, {});
  ASSERT_TRUE(unmounted);
  EXPECT_THAT(*unmounted, ElementsAre(mount_of("tank/a", MountHappened::kFailed)));
  const std::vector<VolumeRef> names{{"tank/a"}, {"tank/b"}};
  EXPECT_THAT(unlocker->close(names, {}), ElementsAre(happened("tank/a", Happened::kFailed),
                                                      happened("tank/b", Happened::kAlreadyClosed)));
  EXPECT_THAT(
      make_zfs_unlocker(zfs.options(Road::kProgram))->close(names, {}),
      ElementsAre(happened("tank/a", Happened::kFailed), happened("tank/b", Happened::kAlreadyClosed)));
  EXPECT_EQ(zfs.get("tank/a", "keystatus"), "available");
}

/// The block device has a key and is in use; on its first partition lies a filesystem, mounted as
/// `mount_table` says.
std::string detail_of_closing(FakeZfs& zfs, const test::TemporaryDirectory& machine,
                              const std::string& mount_table, Road road) {
  std::filesystem::create_directories(machine / "zvol/tank");
  std::ofstream(machine / "zd16").flush();
  std::error_code is_there;
  std::filesystem::create_symlink("../../zd16", machine / "zvol/tank/my+disk", is_there);
  std::ofstream(machine / "mountinfo") << mount_table;
  auto options = zfs.options(road);
  options.devices = (machine / "zvol").parent_path();
  options.mount_table = machine / "mountinfo";
  const auto outcomes = make_zfs_unlocker(options)->close({{"tank/my disk"}}, {});
  EXPECT_THAT(outcomes, ElementsAre(happened("tank/my disk", Happened::kFailed)));
  return outcomes.front().detail;
}

TEST(ZfsMount, WhatUsesABlockDeviceIsNamed) {
  FakeZfs zfs;
  zfs.add("tank");
  zfs.add_root("tank/my disk", kHexA,
               {{"keystatus", "available"},
                {"type", "volume"},
                {"mountpoint", "-"},
                {"canmount", "-"},
                {"mounted", "-"},
                {"in-use", "yes"}});
  const test::TemporaryDirectory machine;
  const std::string other = "30 1 230:16 / /other rw - ext4 " + (machine / "zd160").string() + " rw\n";
  const auto part = "31 1 230:1 / /srv/my\\040disk rw - ext4 " + (machine / "zd16p1").string() + " rw\n";
  const auto whole = "31 1 230:0 / /srv/all rw - ext4 " + (machine / "zvol/tank/my+disk").string() + " rw\n";
  for (const auto road : {Road::kLibrary, Road::kProgram}) {
    EXPECT_THAT(detail_of_closing(zfs, machine, other + part, road),
                HasSubstr("busy: tank/my disk is mounted at /srv/my disk"));
    EXPECT_THAT(detail_of_closing(zfs, machine, other + whole, road),
                HasSubstr("tank/my disk is mounted at /srv/all"));
    EXPECT_THAT(detail_of_closing(zfs, machine, other, road),
                HasSubstr("busy: something may use tank/my disk (a mapping, swap, a virtual machine)"));
  }
}

}  // namespace
}  // namespace zkv::unlock
