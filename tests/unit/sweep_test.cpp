// In which order a sweep opens and mounts, on a machine where opening a volume brings paths that others lie
// on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "base/encoding.h"
#include "host/sweep.h"

namespace zkv::host {
namespace {

using repository::VolumeKind;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using unlock::Happened;
using unlock::MountHappened;
using unlock::Survey;

/// One volume of the machine.
struct Plan {
  VolumeKind kind = VolumeKind::kLuks;
  std::string lies_on = {};  ///< a path that must be there
  bool is_named = true;      ///< the path is known before it is there; else it is a tag
  std::string mountpoint = {};
  std::string brings = {};  ///< a place where something is mounted with it that has no key
  bool is_guess = false;    ///< the mount point is known only as one of several
  bool opens = true;
  bool opens_at_sight = false;
  Survey::Readiness when_missing = Survey::Readiness::kAwaited;
};

struct Machine {
  std::map<std::string, Plan> volumes;
  std::set<std::string> paths = {"/dev/sda", "/dev/sdb"};
  std::vector<std::string> events = {};
  std::vector<std::size_t> opened_at_once = {};  ///< how many volumes each call was to open

  [[nodiscard]] bool is_there(const Plan& plan) const {
    return plan.lies_on.empty() || std::any_of(paths.begin(), paths.end(), [&](const std::string& path) {
             return unlock::lies_within(plan.lies_on, path);
           });
  }
};

class Kind final : public unlock::Unlocker {
 public:
  Kind(Machine& machine, VolumeKind kind) : machine_(machine), kind_(kind) {}
  [[nodiscard]] VolumeKind kind() const override { return kind_; }
  [[nodiscard]] std::string_view name() const override {
    if (kind_ == VolumeKind::kZfs) return "zfs";
    return kind_ == VolumeKind::kLuks ? "luks" : "plain";
  }
  [[nodiscard]] std::string_view family() const override {
    return kind_ == VolumeKind::kZfs ? name() : "dm-crypt";
  }
  [[nodiscard]] Result<> check(const unlock::VolumeRef&) const override { return {}; }
  [[nodiscard]] Result<std::vector<unlock::VolumeState>> inspect(
      const std::vector<unlock::VolumeRef>&) override {
    return Error::internal("not asked");
  }
  [[nodiscard]] Result<std::vector<unlock::VolumeState>> discover() override { return inspect({}); }

  [[nodiscard]] Result<std::vector<Survey>> survey(const std::vector<unlock::VolumeRef>& volumes) override {
    std::vector<Survey> surveys;
    for (const auto& volume : volumes) {
      const Plan& plan = machine_.volumes.at(volume.name);
      Survey survey{volume.name};
      if (!machine_.is_there(plan)) survey.readiness = plan.when_missing;
      if (plan.is_named && !plan.lies_on.empty()) survey.needs = {plan.lies_on};
      survey.devices = {"/dev/mapper/" + volume.name};
      auto& places = plan.is_guess ? survey.maybe_places : survey.places;
      if (!plan.mountpoint.empty()) places = {plan.mountpoint};
      surveys.push_back(survey);
    }
    return surveys;
  }

  [[nodiscard]] std::vector<unlock::Outcome> open(std::span<const Volume> volumes, unlock::Attempt,
                                                  const std::stop_token& stop) override {
    std::vector<unlock::Outcome> outcomes;
    std::set<std::string> brought;
    machine_.opened_at_once.push_back(volumes.size());
    for (const auto& volume : volumes) {
      const Plan& plan = machine_.volumes.at(volume.name);
      EXPECT_THAT(text_of(volume.key), "key of " + volume.name);
      machine_.events.push_back("open " + volume.name);
      Happened happened = plan.opens ? Happened::kOpened : Happened::kWrongKey;
      if (!machine_.is_there(plan)) happened = Happened::kMissing;
      if (stop.stop_requested()) happened = Happened::kInterrupted;
      if (happened == Happened::kOpened) brought.insert("/dev/mapper/" + volume.name);
      outcomes.push_back({volume.name, happened, {}, {}, {}});
    }
    machine_.paths.merge(brought);
    return outcomes;
  }

  [[nodiscard]] std::vector<unlock::Outcome> open_at_sight(std::span<const Volume> volumes,
                                                           const std::stop_token& stop) override {
    std::vector<unlock::Outcome> opened;
    for (const auto& volume : volumes) {
      const Plan& plan = machine_.volumes.at(volume.name);
      if (!plan.opens_at_sight || !machine_.is_there(plan)) continue;
      const auto outcomes = open(std::span(&volume, 1), unlock::Attempt::kOpen, stop);
      opened.insert(opened.end(), outcomes.begin(), outcomes.end());
    }
    return opened;
  }

  [[nodiscard]] Result<std::vector<unlock::MountOutcome>> mount_unheld(
      const std::vector<unlock::VolumeRef>& volumes, const std::vector<std::string>& held,
      const std::stop_token&) override {
    std::vector<unlock::MountOutcome> outcomes;
    for (const auto& volume : volumes) {
      const auto& place = machine_.volumes.at(volume.name).mountpoint;
      const auto& brings = machine_.volumes.at(volume.name).brings;
      if (const auto above = unlock::held_by(brings, held); above) {
        outcomes.push_back({"plain", "", brings, MountHappened::kHeldBack, "it lies below " + *above});
      } else if (!brings.empty() && machine_.paths.insert(brings).second) {
        machine_.events.push_back("mount " + brings);
        outcomes.push_back({"plain", "", brings, MountHappened::kMounted, {}});
      }
      if (place.empty()) continue;
      const auto above = unlock::held_by(place, held);
      const bool is_new = !above && machine_.paths.insert(place).second;
      if (is_new) machine_.events.push_back("mount " + volume.name);
      outcomes.push_back({volume.name, volume.name, place,
                          above ? MountHappened::kHeldBack : MountHappened::kMounted,
                          above ? "it lies below " + *above : std::string()});
    }
    return outcomes;
  }

  [[nodiscard]] std::vector<unlock::Outcome> close(const std::vector<unlock::VolumeRef>&,
                                                   const std::stop_token&) override {
    return {};
  }
  [[nodiscard]] Result<std::vector<unlock::MountOutcome>> unmount(const std::vector<unlock::VolumeRef>&,
                                                                  const std::stop_token&) override {
    return Error::internal("not asked");
  }

 private:
  [[nodiscard]] static std::string text_of(std::span<const std::uint8_t> bytes) {
    return {bytes.begin(), bytes.end()};
  }

  Machine& machine_;
  VolumeKind kind_;
};

MountReport sweep(Machine& machine, const std::stop_token& stop = {}) {
  Unlockers unlockers;
  unlockers.push_back(std::make_unique<Kind>(machine, VolumeKind::kZfs));
  unlockers.push_back(std::make_unique<Kind>(machine, VolumeKind::kLuks));
  unlockers.push_back(std::make_unique<Kind>(machine, VolumeKind::kPlain));
  repository::VolumeKeys keys;
  for (const auto& [name, plan] : machine.volumes) {
    EXPECT_TRUE(keys.add(name, plan.kind, bytes_of("key of " + name)));
  }
  MountReport report;
  Sweep(keys, unlockers, report, true, stop, [](unlock::Unlocker&) {}).run();
  EXPECT_EQ(keys.size(), 0U);
  EXPECT_EQ(report.volumes.size(), machine.volumes.size());
  return report;
}

const unlock::Outcome& outcome_for(const MountReport& report, const std::string& name) {
  return std::find_if(report.volumes.begin(), report.volumes.end(),
                      [&](const VolumeReport& volume) { return volume.outcome.volume == name; })
      ->outcome;
}

TEST(Sweep, APoolOnLuksIsTriedOnceTheLuksVolumeIsOpen) {
  Machine machine{{{"disk", {.lies_on = "/dev/sda"}},
                   {"tank/a",
                    {.kind = VolumeKind::kZfs,
                     .lies_on = "/dev/mapper/disk",
                     .is_named = false,
                     .mountpoint = "/tank",
                     .when_missing = Survey::Readiness::kLast}}}};
  EXPECT_TRUE(sweep(machine).is_complete());
  EXPECT_THAT(machine.events, ElementsAre("open disk", "open tank/a", "mount tank/a"));
}

TEST(Sweep, ALuksVolumeInAFileWaitsForTheFilesystemThatHoldsTheFile) {
  Machine machine{{{"image", {.lies_on = "/srv/images/one", .mountpoint = "/srv/one"}},
                   {"tank/a", {.kind = VolumeKind::kZfs, .mountpoint = "/srv/images"}}}};
  EXPECT_TRUE(sweep(machine).is_complete());
  EXPECT_THAT(machine.events, ElementsAre("open tank/a", "mount tank/a", "open image", "mount image"));
}

TEST(Sweep, AFileOfTheSameNameBelowTheMountPointIsNotTakenForTheVolume) {
  Machine machine{{{"image", {.lies_on = "/srv/images/one"}},
                   {"tank/a", {.kind = VolumeKind::kZfs, .mountpoint = "/srv/images", .opens = false}}}};
  machine.paths.insert("/srv/images/one");
  const auto report = sweep(machine);
  EXPECT_THAT(machine.events, ElementsAre("open tank/a"));
  EXPECT_EQ(outcome_for(report, "image").happened, Happened::kMissing);
  EXPECT_EQ(outcome_for(report, "image").detail, "it lies on tank/a, which is not open");
}

TEST(Sweep, LuksOnLuksOnLuksIsOpenedFromBelow) {
  Machine machine{{{"a", {.lies_on = "/dev/mapper/b"}},
                   {"b", {.lies_on = "/dev/mapper/c"}},
                   {"c", {.lies_on = "/dev/sda"}},
                   {"d", {.lies_on = "/dev/sdb"}}}};
  EXPECT_TRUE(sweep(machine).is_complete());
  EXPECT_THAT(machine.events, ElementsAre("open c", "open d", "open b", "open a"));
}

TEST(Sweep, AFilesystemIsNotMountedBelowAPlaceWhereAnotherIsStillToCome) {
  Machine machine{{{"disk", {.lies_on = "/dev/sda", .mountpoint = "/srv"}},
                   {"tank/a", {.kind = VolumeKind::kZfs, .mountpoint = "/srv/data"}},
                   {"tank/b", {.kind = VolumeKind::kZfs, .mountpoint = "/other"}}}};
  EXPECT_TRUE(sweep(machine).is_complete());
  EXPECT_THAT(machine.events, ElementsAre("open tank/a", "open tank/b", "mount tank/b", "open disk",
                                          "mount disk", "mount tank/a"));
}

TEST(Sweep, WhatHangsOnNoKeyIsHeldBackTooAndMountedInTheEnd) {
  Machine machine{{{"disk", {.lies_on = "/dev/mapper/tank/a", .mountpoint = "/srv"}},
                   {"tank/a", {.kind = VolumeKind::kZfs, .mountpoint = "/tank", .brings = "/srv/plain"}}}};
  const auto report = sweep(machine);
  EXPECT_TRUE(report.is_complete());
  EXPECT_EQ(report.mounts.size(), 3U);
  EXPECT_THAT(machine.events,
              ElementsAre("open tank/a", "mount tank/a", "open disk", "mount disk", "mount /srv/plain"));
}

TEST(Sweep, BelowAPlaceWhoseVolumeDidNotOpenNothingIsMounted) {
  Machine machine{{{"disk", {.lies_on = "/dev/sda", .mountpoint = "/srv", .opens = false}},
                   {"tank/a", {.kind = VolumeKind::kZfs, .mountpoint = "/srv/data"}}}};
  const auto report = sweep(machine);
  EXPECT_THAT(machine.events, ElementsAre("open tank/a", "open disk"));
  ASSERT_EQ(report.mounts.size(), 1U);
  EXPECT_EQ(report.mounts.front().happened, MountHappened::kFailed);
  EXPECT_THAT(report.mounts.front().detail, HasSubstr("below /srv, and what belongs there is not mounted"));
}

TEST(Sweep, KindsOfOneFamilyAreOpenedInOneGoAndThenMounted) {
  Machine machine{{{"a", {.lies_on = "/dev/sda", .mountpoint = "/a"}},
                   {"b", {.kind = VolumeKind::kPlain, .lies_on = "/dev/sdb", .mountpoint = "/b"}},
                   {"c", {.kind = VolumeKind::kPlain, .lies_on = "/dev/sdb", .opens = false}},
                   {"tank/d", {.kind = VolumeKind::kZfs, .mountpoint = "/d"}}}};
  const auto report = sweep(machine);
  EXPECT_THAT(machine.events,
              ElementsAre("open tank/d", "mount tank/d", "open a", "open b", "open c", "mount a", "mount b"));
  EXPECT_THAT(machine.opened_at_once, ElementsAre(1, 3));
  for (const auto& volume : report.volumes) {
    const auto& name = volume.outcome.volume;
    EXPECT_EQ(volume.kind, repository::to_text(machine.volumes.at(name).kind)) << name;
    EXPECT_EQ(unlock::is_success(volume.outcome.happened), machine.volumes.at(name).opens) << name;
  }
}

TEST(Sweep, WhatIsOpenAndNotYetMountedHoldsBackWhatMayLieBelowIt) {
  Machine machine{
      {{"a", {.lies_on = "/dev/sda", .mountpoint = "/srv/data"}},
       {"b", {.kind = VolumeKind::kPlain, .lies_on = "/dev/sdb", .mountpoint = "/srv", .is_guess = true}}}};
  EXPECT_TRUE(sweep(machine).is_complete());
  EXPECT_THAT(machine.events, ElementsAre("open a", "open b", "mount b", "mount a"));
}

TEST(Sweep, AStopInTheMiddleOfAFamilyIsToldOfEachOfItsKinds) {
  Machine machine{
      {{"a", {.lies_on = "/dev/sda"}}, {"b", {.kind = VolumeKind::kPlain, .lies_on = "/dev/sdb"}}}};
  std::stop_source stop;
  stop.request_stop();
  const auto report = sweep(machine, stop.get_token());
  for (const auto* name : {"a", "b"}) EXPECT_EQ(outcome_for(report, name).happened, Happened::kInterrupted);
}

TEST(Sweep, AGuessedPlaceHoldsBackOnlyUntilTheEnd) {
  Machine machine{{{"disk", {.lies_on = "/dev/sda", .mountpoint = "/srv", .is_guess = true, .opens = false}},
                   {"tank/a", {.kind = VolumeKind::kZfs, .mountpoint = "/srv/data"}}}};
  const auto report = sweep(machine);
  EXPECT_THAT(machine.events, ElementsAre("open tank/a", "open disk", "mount tank/a"));
  EXPECT_EQ(report.mounts.front().happened, MountHappened::kMounted);
}

TEST(Sweep, WhatOpensAtSightIsMountedOnceTheOthersOfItsKindAreOpenToo) {
  Machine machine{{{"disk", {.lies_on = "/dev/sda", .mountpoint = "/disk"}},
                   {"tank/raw", {.kind = VolumeKind::kZfs, .mountpoint = "/raw", .opens_at_sight = true}},
                   {"tank/words", {.kind = VolumeKind::kZfs, .mountpoint = "/words"}}}};
  EXPECT_TRUE(sweep(machine).is_complete());
  EXPECT_THAT(machine.events, ElementsAre("open tank/raw", "open tank/words", "mount tank/raw",
                                          "mount tank/words", "open disk", "mount disk"));
}

TEST(Sweep, WhatOpensAtSightDoesNotWaitForWhatIsNotThere) {
  Machine machine{{{"image", {.lies_on = "/raw/image", .mountpoint = "/image"}},
                   {"late", {.lies_on = "/dev/sdz"}},
                   {"tank/raw", {.kind = VolumeKind::kZfs, .mountpoint = "/raw", .opens_at_sight = true}},
                   {"tank/gone",
                    {.kind = VolumeKind::kZfs,
                     .lies_on = "/dev/sdz",
                     .is_named = false,
                     .when_missing = Survey::Readiness::kLast}}}};
  sweep(machine);
  EXPECT_THAT(machine.events, ElementsAre("open tank/raw", "mount tank/raw", "open image", "mount image",
                                          "open late", "open tank/gone"));
}

TEST(Sweep, WhatLiesInACircleIsNamedAndStopsNoOther) {
  Machine machine{{{"a", {.lies_on = "/dev/mapper/b"}},
                   {"b", {.lies_on = "/srv/header"}},
                   {"c", {.lies_on = "/dev/mapper/a", .mountpoint = "/srv"}},
                   {"d", {.lies_on = "/dev/sdb"}}}};
  const auto report = sweep(machine);
  EXPECT_THAT(machine.events, ElementsAre("open d"));
  EXPECT_EQ(report.opened(), 1U);
  EXPECT_EQ(outcome_for(report, "a").happened, Happened::kFailed);
  EXPECT_EQ(outcome_for(report, "a").detail,
            "it can never be opened: a lies on b, which lies on c, which lies on a");
}

TEST(Sweep, AVolumeThatLiesOnItselfIsNamed) {
  Machine machine{{{"a", {.lies_on = "/srv/header", .mountpoint = "/srv"}}}};
  EXPECT_EQ(outcome_for(sweep(machine), "a").detail, "it can never be opened: a lies on a");
  EXPECT_THAT(machine.events, IsEmpty());
}

TEST(Sweep, WhatIsMissingIsTriedLastAndOnlyOnce) {
  Machine machine{{{"gone", {.lies_on = "/dev/sdz"}}, {"here", {.lies_on = "/dev/sda"}}}};
  const auto report = sweep(machine);
  EXPECT_THAT(machine.events, ElementsAre("open here", "open gone"));
  EXPECT_EQ(outcome_for(report, "gone").happened, Happened::kMissing);
}

TEST(Sweep, AfterAStopRequestAllIsToldToBeInterrupted) {
  Machine machine{{{"a", {.lies_on = "/dev/sda"}}, {"b", {.lies_on = "/dev/mapper/a"}}}};
  std::stop_source source;
  source.request_stop();
  const auto report = sweep(machine, source.get_token());
  EXPECT_EQ(outcome_for(report, "a").happened, Happened::kInterrupted);
  EXPECT_EQ(outcome_for(report, "b").happened, Happened::kInterrupted);
}

}  // namespace
}  // namespace zkv::host
