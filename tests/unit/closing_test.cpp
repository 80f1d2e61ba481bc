// Closing volumes that lie on one another, and naming who keeps one from being closed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <set>

#include "host/closing.h"
#include "test_certificate.h"
#include "unlock/busy.h"

namespace zkv::host {
namespace {

namespace fs = std::filesystem;
using repository::VolumeKind;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using unlock::Happened;
using unlock::MountHappened;
using unlock::VolumeRef;

/// What is open, and what lies on what.
struct Tower {
  std::vector<std::string> open;
  std::multimap<std::string, std::string> below;  ///< upper → lower
  std::vector<std::string> tries = {};
  std::string stays_mounted = {};

  [[nodiscard]] bool carries(const std::string& name) const {
    return std::any_of(below.begin(), below.end(), [&](const auto& tie) {
      return tie.second == name && std::find(open.begin(), open.end(), tie.first) != open.end();
    });
  }
};

class Floor final : public unlock::Unlocker {
 public:
  Floor(Tower& tower, VolumeKind kind) : tower_(tower), kind_(kind) {}
  [[nodiscard]] VolumeKind kind() const override { return kind_; }
  [[nodiscard]] std::string_view name() const override { return kind_ == VolumeKind::kZfs ? "zfs" : "luks"; }
  [[nodiscard]] Result<> check(const VolumeRef&) const override { return {}; }
  [[nodiscard]] Result<std::vector<unlock::VolumeState>> inspect(const std::vector<VolumeRef>&) override {
    return Error::internal("not asked");
  }
  [[nodiscard]] Result<std::vector<unlock::VolumeState>> discover() override { return inspect({}); }
  [[nodiscard]] Result<std::vector<unlock::Survey>> survey(const std::vector<VolumeRef>&) override {
    return Error::internal("not asked");
  }
  [[nodiscard]] std::vector<unlock::Outcome> open(std::span<const Volume>, unlock::Attempt,
                                                  const std::stop_token&) override {
    return {};
  }
  [[nodiscard]] Result<std::vector<unlock::MountOutcome>> mount_unheld(const std::vector<VolumeRef>&,
                                                                       const std::vector<std::string>&,
                                                                       const std::stop_token&) override {
    return Error::internal("not asked");
  }
  [[nodiscard]] Result<std::vector<unlock::MountOutcome>> unmount(const std::vector<VolumeRef>& volumes,
                                                                  const std::stop_token&) override {
    std::vector<unlock::MountOutcome> outcomes;
    if (tower_.stays_mounted.empty()) return outcomes;
    for (const auto& volume : volumes) {
      outcomes.push_back(
          {volume.name, volume.name, tower_.stays_mounted, MountHappened::kFailed, "it is busy"});
    }
    return outcomes;
  }
  [[nodiscard]] std::vector<unlock::Outcome> close(const std::vector<VolumeRef>& volumes,
                                                   const std::stop_token&) override {
    std::vector<unlock::Outcome> outcomes;
    for (const auto& volume : volumes) {
      tower_.tries.push_back(volume.name);
      const bool is_busy = tower_.carries(volume.name) || !tower_.stays_mounted.empty();
      if (!is_busy) std::erase(tower_.open, volume.name);
      outcomes.push_back(
          {volume.name, is_busy ? Happened::kFailed : Happened::kClosed, is_busy ? "in use" : "", {}, {}});
    }
    return outcomes;
  }

 private:
  Tower& tower_;
  VolumeKind kind_;
};

Unlockers floors(Tower& tower) {
  Unlockers unlockers;
  unlockers.push_back(std::make_unique<Floor>(tower, VolumeKind::kZfs));
  unlockers.push_back(std::make_unique<Floor>(tower, VolumeKind::kLuks));
  return unlockers;
}

TEST(Closing, ATowerOfBothKindsIsClosedFromAboveWhateverTheOrderOfItsNames) {
  Tower tower{{"disk", "deep/safe", "inner"}, {{"deep/safe", "disk"}, {"inner", "deep/safe"}}};
  const auto report = unmount_and_close(floors(tower), {{{"deep/safe"}}, {{"disk"}, {"inner"}}}, {});
  EXPECT_TRUE(report.is_complete());
  EXPECT_THAT(tower.open, IsEmpty());
  EXPECT_EQ(report.volumes.size(), 3U);
}

TEST(Closing, WhatIsInUseByWhatIsNotToBeClosedIsTriedNoMoreThanOnceAfterTheLastProgress) {
  Tower tower{{"disk", "deep/safe", "other"}, {{"deep/safe", "disk"}}};
  const auto report = unmount_and_close(floors(tower), {{}, {{"disk"}, {"other"}}}, {});
  EXPECT_FALSE(report.is_complete());
  EXPECT_THAT(tower.tries, ElementsAre("disk", "other", "disk"));
  EXPECT_EQ(report.volumes.size(), 2U);
  EXPECT_EQ(report.opened(), 1U);
}

TEST(Closing, AStopRequestEndsIt) {
  Tower tower{{"disk"}, {}};
  std::stop_source source;
  source.request_stop();
  EXPECT_THAT(unmount_and_close(floors(tower), {{}, {{"disk"}}}, source.get_token()).volumes, IsEmpty());
  EXPECT_THAT(tower.tries, IsEmpty());
}

TEST(Closing, WhoKeepsAFilesystemBusyIsNamed) {
  const test::TemporaryDirectory directory;
  const auto place = fs::canonical(fs::path(directory / ".")).string();
  std::ofstream file(fs::path(place) / "open");
  Tower tower{{"disk"}, {}, {}, place};
  const auto report = unmount_and_close(floors(tower), {{}, {{"disk"}}}, {});
  ASSERT_EQ(report.mounts.size(), 1U);
  EXPECT_THAT(report.mounts.front().detail,
              HasSubstr(std::string("it is busy; in use by ") + program_invocation_short_name + " (" +
                        std::to_string(::getpid()) + ")"));
}

TEST(Busy, OnlyWhatLiesWithinThePlaceCounts) {
  const test::TemporaryDirectory directory;
  const auto add = [&](const std::string& number, const std::string& name, const std::string& cwd) {
    fs::create_directories(directory / (number + "/fd"));
    std::ofstream(directory / (number + "/comm")) << name << "\n";
    fs::create_symlink(cwd, directory / (number + "/cwd"));
  };
  add("12", "bash", "/srv/data/deep");
  add("7", "nginx", "/srv/database");
  add("self", "zkv", "/srv/data");
  add("30", "evil\x1b[2J", "/srv/data");
  const auto users = unlock::processes_in("/srv/data", directory / ".");
  ASSERT_EQ(users.size(), 2U);
  EXPECT_EQ(unlock::in_words(users), "bash (12), evil?[2J (30)");
}

}  // namespace
}  // namespace zkv::host
