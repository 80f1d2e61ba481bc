// The sweep from a repository's key to mounted filesystems, and back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/encoding.h"
#include "fake_zfs.h"
#include "gateway_answers.h"
#include "host/boot.h"
#include "host/closing.h"
#include "repository/change.h"
#include "unlock/registry.h"
#include "unlock_world.h"

namespace zkv::host {
namespace {

using test::kHexA;
using test::kHexB;
using test::kKey;
using test::TemporaryDirectory;
using testing::HasSubstr;
using testing::IsEmpty;

/// A seed-format repository in a directory of its own.
class Repository {
 public:
  explicit Repository(const std::vector<std::pair<std::string, std::string>>& entries);
  [[nodiscard]] std::filesystem::path path() const { return directory_ / "repository"; }
  [[nodiscard]] SecretBytes key() const { return SecretBytes::copy_of(kKey); }

 private:
  TemporaryDirectory directory_;
};

Repository::Repository(const std::vector<std::pair<std::string, std::string>>& entries) {
  EXPECT_TRUE(repository::create(path(), repository::Format::kSeed, key(), false));
  EXPECT_TRUE(repository::edit(path(), key(), [&](repository::VolumeKeys& keys) -> Result<> {
    for (const auto& [name, text] : entries)
      ZKV_CHECK(keys.add(name, repository::VolumeKind::kZfs, bytes_of(text)));
    return {};
  }));
}

Unlockers unlockers_of(const test::FakeZfs& zfs) { return unlock::all_unlockers({.zfs = zfs.options()}); }

TEST(Boot, OpensAndMountsWhatTheRepositoryHolds) {
  test::FakeZfs zfs;
  zfs.add("tank");
  zfs.add_root("tank/a", kHexA);
  zfs.add_root("tank/b", kHexA);
  const Repository repository({{"tank/a", kHexA}, {"tank/b", kHexB}});
  const auto report = open_and_mount({.repository = repository.path()}, {repository.key(), std::nullopt},
                                     unlockers_of(zfs), {});
  ASSERT_TRUE(report) << report.error().message();
  ASSERT_EQ(report->volumes.size(), 2U);
  EXPECT_EQ(report->volumes[0].outcome.happened, unlock::Happened::kOpened);
  EXPECT_EQ(report->volumes[1].outcome.happened, unlock::Happened::kWrongKey);
  EXPECT_EQ(report->opened(), 1U);
  EXPECT_FALSE(report->is_complete());
  EXPECT_EQ(zfs.get("tank/a", "mounted"), "yes");
}

TEST(Boot, OnlyTheNamedVolumesAreTouched) {
  test::FakeZfs zfs;
  zfs.add("tank");
  zfs.add_root("tank/a", kHexA);
  zfs.add_root("tank/b", kHexB);
  const Repository repository({{"tank/a", kHexA}, {"tank/b", kHexB}});
  const auto report = open_and_mount({.repository = repository.path(), .only = {"tank/b"}},
                                     {repository.key(), std::nullopt}, unlockers_of(zfs), {});
  ASSERT_TRUE(report);
  EXPECT_TRUE(report->is_complete());
  EXPECT_EQ(zfs.get("tank/a", "keystatus"), "unavailable");
  EXPECT_EQ(zfs.get("tank/b", "mounted"), "yes");
}

TEST(Boot, ANameThatTheRepositoryDoesNotHoldIsAnErrorBeforeAnythingIsOpened) {
  test::FakeZfs zfs;
  const Repository repository({{"tank/a", kHexA}});
  const auto report = open_and_mount({.repository = repository.path(), .only = {"tank/a", "tank/z"}},
                                     {repository.key(), std::nullopt}, unlockers_of(zfs), {});
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().kind(), ErrorKind::kNotFound);
  EXPECT_THAT(zfs.calls(), IsEmpty());
}

TEST(Boot, WithoutMountsNothingIsMountedAndATrialOpensNothing) {
  test::FakeZfs zfs;
  zfs.add("tank");
  zfs.add_root("tank/a", kHexA);
  const Repository repository({{"tank/a", kHexA}});
  const auto trial = open_and_mount({.repository = repository.path(), .is_trial = true},
                                    {repository.key(), std::nullopt}, unlockers_of(zfs), {});
  ASSERT_TRUE(trial);
  EXPECT_EQ(zfs.get("tank/a", "keystatus"), "unavailable");
  const auto report = open_and_mount({.repository = repository.path(), .wants_mounts = false},
                                     {repository.key(), std::nullopt}, unlockers_of(zfs), {});
  ASSERT_TRUE(report);
  EXPECT_EQ(zfs.get("tank/a", "keystatus"), "available");
  EXPECT_THAT(zfs.calls_of("zfs mount"), IsEmpty());
}

TEST(Boot, AWrongRepositoryKeyTouchesNoVolume) {
  test::FakeZfs zfs;
  const Repository repository({{"tank/a", kHexA}});
  const auto report = open_and_mount(
      {.repository = repository.path()},
      {SecretBytes::copy_of("QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE="), {}}, unlockers_of(zfs), {});
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().kind(), ErrorKind::kWrongKey);
  EXPECT_THAT(zfs.calls(), IsEmpty());
}

TEST(Boot, AVolumeOfAKindThatALaterVersionAddedIsReportedAndStopsNoOther) {
  test::FakeZfs zfs;
  zfs.add("tank");
  zfs.add_root("tank/a", kHexA);
  const TemporaryDirectory directory;
  const auto path = directory / "repository";
  const auto key = SecretBytes::copy_of(kKey);
  ASSERT_TRUE(repository::create(path, repository::Format::kVersion2, key, false));
  ASSERT_TRUE(repository::edit(path, key, [&](repository::VolumeKeys& keys) -> Result<> {
    ZKV_CHECK(keys.add("disk", static_cast<repository::VolumeKind>(99), bytes_of(kHexA)));
    return keys.add("tank/a", repository::VolumeKind::kZfs, bytes_of(kHexA));
  }));
  const auto report =
      open_and_mount({.repository = path}, {key.clone(), std::nullopt}, unlockers_of(zfs), {});
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_FALSE(report->is_complete());
  EXPECT_EQ(report->opened(), 1U);
  EXPECT_EQ(report->volumes.back().outcome.volume, "disk");
  EXPECT_THAT(report->volumes.back().outcome.detail, HasSubstr("kind 99"));
}

/// Stands in for LUKS: notes whether the ZFS filesystem was mounted when its own turn came.
class SlowKind final : public unlock::Unlocker {
 public:
  explicit SlowKind(const test::FakeZfs& zfs) : zfs_(zfs) {}
  [[nodiscard]] repository::VolumeKind kind() const override { return repository::VolumeKind::kLuks; }
  [[nodiscard]] std::string_view name() const override { return "luks"; }
  [[nodiscard]] Result<> check(const unlock::VolumeRef&) const override { return {}; }
  [[nodiscard]] Result<std::vector<unlock::VolumeState>> inspect(
      const std::vector<unlock::VolumeRef>&) override {
    return std::vector<unlock::VolumeState>();
  }
  [[nodiscard]] Result<std::vector<unlock::VolumeState>> discover() override {
    return std::vector<unlock::VolumeState>();
  }
  [[nodiscard]] std::vector<unlock::Outcome> open(std::span<const Volume> volumes, unlock::Attempt,
                                                  const std::stop_token&) override {
    was_mounted_before = zfs_.get("tank/a", "mounted") == "yes";
    return {{volumes.front().name, unlock::Happened::kFailed, "it did not open in time", {}, {}}};
  }
  [[nodiscard]] std::vector<unlock::Outcome> close(const std::vector<unlock::VolumeRef>&,
                                                   const std::stop_token&) override {
    return {};
  }
  [[nodiscard]] Result<std::vector<unlock::Survey>> survey(
      const std::vector<unlock::VolumeRef>& volumes) override {
    std::vector<unlock::Survey> surveys;
    for (const auto& volume : volumes) surveys.push_back({volume.name});
    return surveys;
  }
  [[nodiscard]] Result<std::vector<unlock::MountOutcome>> mount_unheld(const std::vector<unlock::VolumeRef>&,
                                                                       const std::vector<std::string>&,
                                                                       const std::stop_token&) override {
    return std::vector<unlock::MountOutcome>();
  }
  [[nodiscard]] Result<std::vector<unlock::MountOutcome>> unmount(const std::vector<unlock::VolumeRef>&,
                                                                  const std::stop_token&) override {
    return std::vector<unlock::MountOutcome>();
  }

  bool was_mounted_before = false;

 private:
  const test::FakeZfs& zfs_;
};

TEST(Boot, ASlowKindKeepsNoOtherKindFromBeingMounted) {
  test::FakeZfs zfs;
  zfs.add("tank");
  zfs.add_root("tank/a", kHexA);
  const TemporaryDirectory directory;
  const auto path = directory / "repository";
  const auto key = SecretBytes::copy_of(kKey);
  ASSERT_TRUE(repository::create(path, repository::Format::kVersion2, key, false));
  ASSERT_TRUE(repository::edit(path, key, [&](repository::VolumeKeys& keys) -> Result<> {
    ZKV_CHECK(keys.add("disk", repository::VolumeKind::kLuks, bytes_of("key")));
    return keys.add("tank/a", repository::VolumeKind::kZfs, bytes_of(kHexA));
  }));
  Unlockers unlockers;
  unlockers.push_back(unlock::make_zfs_unlocker(zfs.options()));
  auto slow = std::make_unique<SlowKind>(zfs);
  const auto& seen = *slow;
  unlockers.push_back(std::move(slow));
  const auto report = open_and_mount({.repository = path}, {key.clone(), std::nullopt}, unlockers, {});
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_TRUE(seen.was_mounted_before);
  EXPECT_EQ(report->opened(), 1U);
  EXPECT_EQ(report->volumes.back().outcome.volume, "disk");
}

TEST(Boot, UnmountAndCloseGoesBackAllTheWay) {
  test::FakeZfs zfs;
  zfs.add("tank");
  zfs.add_root("tank/a", kHexA, {{"keystatus", "available"}, {"mounted", "yes"}});
  const auto unlockers = unlockers_of(zfs);
  const auto report = unmount_and_close(unlockers, {{{"tank/a"}}, {}, {}, {}, {}, {}, {}, {}}, {});
  EXPECT_TRUE(report.is_complete());
  EXPECT_EQ(zfs.get("tank/a", "mounted"), "no");
  EXPECT_EQ(zfs.get("tank/a", "keystatus"), "unavailable");
}

}  // namespace
}  // namespace zkv::host
