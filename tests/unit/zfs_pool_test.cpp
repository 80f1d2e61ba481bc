// Pools that are not imported when their volumes are to be opened.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/encoding.h"
#include "fake_zfs.h"
#include "unlock_world.h"

namespace zkv::unlock {
namespace {

using test::kHexA;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// The pool of tank/a is exported, and comes with the volume.
struct ExportedPool {
  explicit ExportedPool(const std::string& refusal = {}) {
    zfs.add("tank", {{"mountpoint", "/tank"}});
    zfs.add_root("tank/a", kHexA);
    zfs.export_pool("tank", refusal);
  }

  [[nodiscard]] Unlocker::Volume volume(const std::string& options = "import") const {
    return {"tank/a", repository::VolumeKind::kZfs, bytes_of(kHexA), {}, {.options = options}};
  }

  test::FakeZfs zfs;
};

TEST(ZfsPool, APoolIsImportedWhenItsVolumeSaysSoAndItsOtherFilesystemsAreMountedToo) {
  const ExportedPool pool;
  const auto unlocker = make_zfs_unlocker(pool.zfs.options());
  const auto volume = pool.volume();
  const auto outcomes = unlocker->open(std::span(&volume, 1), Attempt::kOpen, {});
  EXPECT_EQ(outcomes.front().happened, Happened::kOpened);
  ASSERT_TRUE(unlocker->mount({{"tank/a", volume.settings}}, {}));
  EXPECT_THAT(pool.zfs.calls_of("zpool"), ElementsAre("zpool import -N -o cachefile=none tank"));
  EXPECT_THAT(pool.zfs.calls_of("zfs mount"), ElementsAre("zfs mount tank", "zfs mount tank/a"));
}

TEST(ZfsPool, WithoutTheOptionAndInATrialNothingIsImported) {
  const ExportedPool pool;
  const auto unlocker = make_zfs_unlocker(pool.zfs.options());
  const auto silent = pool.volume("");
  EXPECT_EQ(unlocker->open(std::span(&silent, 1), Attempt::kOpen, {}).front().happened,
            Happened::kPoolMissing);
  const auto volume = pool.volume();
  EXPECT_EQ(unlocker->open(std::span(&volume, 1), Attempt::kTrial, {}).front().happened, Happened::kUntried);
  EXPECT_THAT(pool.zfs.calls_of("zpool"), IsEmpty());
}

TEST(ZfsPool, APoolThatAnotherMachineHadIsNotTakenByForce) {
  const ExportedPool pool("cannot import 'tank': pool was previously in use from another system.");
  const auto volume = pool.volume();
  const auto outcome =
      make_zfs_unlocker(pool.zfs.options())->open(std::span(&volume, 1), Attempt::kOpen, {}).front();
  EXPECT_EQ(outcome.happened, Happened::kPoolMissing);
  EXPECT_THAT(outcome.detail, HasSubstr("previously in use"));
  EXPECT_THAT(outcome.remedy, HasSubstr("zpool import -f tank"));
}

/// The pool is imported and its volume open.
std::unique_ptr<Unlocker> opened(const ExportedPool& pool) {
  auto unlocker = make_zfs_unlocker(pool.zfs.options());
  const auto volume = pool.volume();
  EXPECT_EQ(unlocker->open(std::span(&volume, 1), Attempt::kOpen, {}).front().happened, Happened::kOpened);
  return unlocker;
}

TEST(ZfsPool, APoolThatCameWithItsVolumeGoesWithIt) {
  const ExportedPool pool;
  const auto unlocker = opened(pool);
  const VolumeRef volume{"tank/a", {.options = "import"}};
  EXPECT_EQ(unlocker->close({volume}, {}).front().happened, Happened::kClosed);
  EXPECT_THAT(pool.zfs.calls_of("zpool export"), ElementsAre("zpool export tank"));
  EXPECT_EQ(unlocker->close({volume}, {}).front().happened, Happened::kAlreadyClosed);
}

TEST(ZfsPool, APoolStaysWhileAnotherOfItsKeysIsLoadedAndWhenTheVolumeDidNotBringIt) {
  ExportedPool pool;
  const auto unlocker = opened(pool);
  pool.zfs.add_root("tank/b", kHexA, {{"keystatus", "available"}});
  EXPECT_EQ(unlocker->close({{"tank/a", {.options = "import"}}}, {}).front().happened, Happened::kClosed);
  pool.zfs.set("tank/b", "keystatus", "unavailable");
  EXPECT_EQ(unlocker->close({{"tank/a"}}, {}).front().happened, Happened::kAlreadyClosed);
  EXPECT_THAT(pool.zfs.calls_of("zpool export"), IsEmpty());
}

TEST(ZfsPool, APoolThatIsBusyIsToldAndLetGoAtTheNextTry) {
  ExportedPool pool;
  const auto unlocker = opened(pool);
  pool.zfs.put("busy");
  const VolumeRef volume{"tank/a", {.options = "import"}};
  const auto outcome = unlocker->close({volume}, {}).front();
  EXPECT_EQ(outcome.happened, Happened::kFailed);
  EXPECT_THAT(outcome.detail, HasSubstr("pool is busy"));
  EXPECT_EQ(pool.zfs.get("tank/a", "keystatus"), "unavailable");
}

TEST(ZfsPool, ASurveyTellsWhereFilesystemsGoAndThatAMissingPoolComesLast) {
  const ExportedPool pool;
  test::FakeZfs zfs;
  zfs.add("data");
  zfs.add_root("data/a", kHexA, {{"mountpoint", "/srv"}});
  zfs.add_child("data/a/off", "data/a", {{"canmount", "off"}, {"mountpoint", "/no"}});
  const auto surveys = make_zfs_unlocker(zfs.options())->survey({{"data/a"}, {"tank/a"}, {"data/none"}});
  ASSERT_TRUE(surveys) << surveys.error().message();
  EXPECT_THAT((*surveys)[0].places, ElementsAre("/srv"));
  EXPECT_THAT((*surveys)[0].devices, ElementsAre("/dev/zvol/data/a"));
  EXPECT_EQ((*surveys)[0].readiness, Survey::Readiness::kThere);
  EXPECT_EQ((*surveys)[1].readiness, Survey::Readiness::kLast);
  EXPECT_THAT((*surveys)[1].devices, ElementsAre("/dev/zvol/tank"));
  EXPECT_EQ((*surveys)[2].readiness, Survey::Readiness::kThere);
}

}  // namespace
}  // namespace zkv::unlock
