// What lies on open mappings of LUKS: volume groups, arrays, and a btrfs of several.
#include "unlock/layers.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "luks_machine.h"

namespace zkv::unlock {
namespace {

namespace fs = std::filesystem;
using test::LuksMachine;
using test::put;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kTwoIdentifiers(64, 'x');

/// The same machine with a second disk of LUKS, and on both what a test puts there.
class Layers : public LuksMachine {
 protected:
  Layers() {
    put(directory_ / "mountinfo", "");
    put(dev() / "mapper/data", "");
    put(dev() / "mapper/more", "");
    mapping("dm-2", "more", "CRYPT-LUKS2-9-more", "253:2", "vdc");
    for (const auto* name : {"mount", "vgchange", "lvchange", "mdadm"}) program(name, "exit 0");
    program("blkid", "echo LVM2_member");
    pvs("nas");
  }

  /// The group of "data".
  void pvs(const std::string& name) const {
    program("pvs", "echo '  0 " + mapper("data") + " " + name + "'");
  }
  void lay(const std::string& node, const std::vector<std::string>& below) const {
    for (const auto& one : below) {
      fs::create_directories(sys() / node / "slaves" / one);
      fs::create_directories(sys() / one / "holders" / node);
    }
    fs::create_directories(sys() / node / "holders");
  }
  void logical(const std::string& node, const std::string& name, const std::vector<std::string>& below,
               const std::string& number, const std::string& suffix = {}) const {
    mapping(node, name, "LVM-" + kTwoIdentifiers + suffix, number, below.front());
    put(dev() / "mapper" / name, "");
    lay(node, below);
  }
  /// As a group of two with a snapshot, and a pool with nothing in it yet.
  void group() const {
    logical("dm-10", "nas-home", {"dm-0"}, "253:10");
    logical("dm-11", "nas-w--w-real", {"dm-0"}, "253:11", "-real");
    logical("dm-12", "nas-w--w", {"dm-11"}, "253:12");
    logical("dm-13", "nas-old-cow", {"dm-0"}, "253:13", "-cow");
    logical("dm-14", "nas-old", {"dm-11", "dm-13"}, "253:14");
    logical("dm-15", "nas-pool-tpool", {"dm-0"}, "253:15", "-tpool");
  }

  [[nodiscard]] std::string mapper(const std::string& name) const { return dev() / "mapper" / name; }
  [[nodiscard]] std::vector<std::string> tops(const std::string& name) const {
    std::vector<std::string> paths;
    for (auto& top : tops_of(*Mappings::read(sys()).find(name), options())) paths.push_back(top.path);
    return paths;
  }
  [[nodiscard]] std::vector<MountOutcome> mount(const std::vector<VolumeRef>& volumes) const {
    return make_luks_unlocker(played())->mount(volumes, {}).value();
  }
  [[nodiscard]] Outcome close(const std::string& name) const {
    return make_luks_unlocker(played())->close({{name}}, {}).front();
  }
};

TEST_F(Layers, OnTopIsWhatPeopleSeeOfAGroup) {
  EXPECT_THAT(tops("data"), ElementsAre(mapper("data")));
  group();
  EXPECT_THAT(tops("data"), ElementsAre(mapper("nas-home"), mapper("nas-w--w")));
}

TEST_F(Layers, AnotherVolumeOnALogicalOneIsItsOwn) {
  logical("dm-10", "nas-inner", {"dm-0"}, "253:10");
  mapping("dm-11", "inner", "CRYPT-LUKS2-8-inner", "253:11", "dm-10");
  lay("dm-11", {"dm-10"});
  EXPECT_THAT(tops("data"), IsEmpty());
  EXPECT_THAT(tops("inner"), ElementsAre(mapper("inner")));
}

TEST_F(Layers, AnArrayOfTwoIsOnTopOfBoth) {
  lay("md7", {"dm-0", "dm-2"});
  EXPECT_THAT(tops("data"), ElementsAre((dev() / "md7").string()));
  EXPECT_EQ(tops("data"), tops("more"));
}

TEST_F(Layers, WhatADeviceLiesOnIsFoundThroughAllLevels) {
  lay("md7", {"dm-0", "dm-2"});
  logical("dm-10", "nas-home", {"md7"}, "253:10");
  fs::remove(mapper("nas-home"));
  fs::create_symlink("../dm-10", mapper("nas-home"));
  put(dev() / "dm-10", "");
  EXPECT_THAT(mappings_under(mapper("nas-home"), dev(), sys()), ElementsAre("data", "more"));
  EXPECT_THAT(mappings_under(dev() / "vdd", dev(), sys()), IsEmpty());
  EXPECT_THAT(mappings_under("UUID=none", dev(), sys()), IsEmpty());
}

TEST_F(Layers, AGroupIsActivatedAndMountedAsFstabSays) {
  // As LVM and the kernel do.
  const auto node = [](const fs::path& path) { return path.string(); };
  program("vgchange", "mkdir -p " + node(sys() / "dm-10/dm") + " " + node(sys() / "dm-10/slaves/dm-0") + " " +
                          node(sys() / "dm-0/holders/dm-10") + "; echo nas-home >" +
                          node(sys() / "dm-10/dm/name") + "; echo LVM-" + kTwoIdentifiers + " >" +
                          node(sys() / "dm-10/dm/uuid"));
  const auto home = (directory_ / "home").string();
  put(directory_ / "fstab", mapper("nas-home") + " " + home + " ext4 nofail 0 0\n");
  const auto outcomes = mount({{"data"}});
  ASSERT_EQ(outcomes.size(), 1U);
  EXPECT_EQ(outcomes[0].happened, MountHappened::kMounted) << outcomes[0].detail;
  EXPECT_EQ(outcomes[0].volume, "data");
  EXPECT_EQ(outcomes[0].filesystem, mapper("nas-home"));
  EXPECT_EQ(calls(), "pvs --noheadings -o vg_missing_pv_count,pv_name,vg_name -- " + mapper("data") +
                         "\nvgchange --activate ay -- nas\nmount -- " + home + "\n");
}

TEST_F(Layers, AGroupWhosePartsAreNotAllThereIsLeftAlone) {
  fs::remove(mapper("data"));
  fs::create_symlink("../dm-0", mapper("data"));
  put(dev() / "dm-0", "");
  program("pvs", "echo '  1 " + (dev() / "dm-0").string() + " nas'");
  const auto outcomes = mount({{"data"}});
  ASSERT_EQ(outcomes.size(), 1U);
  EXPECT_EQ(outcomes[0].happened, MountHappened::kFailed);
  EXPECT_THAT(outcomes[0].detail, HasSubstr("nas waits for 1 more of its disks"));
  EXPECT_THAT(calls(), testing::Not(HasSubstr("vgchange")));
}

TEST_F(Layers, APartOfNoGroupIsNoTrouble) {
  pvs("");
  EXPECT_THAT(mount({{"data"}}), IsEmpty());
  EXPECT_THAT(calls(), testing::Not(HasSubstr("vgchange")));
}

TEST_F(Layers, WhatLvmComplainsOfIsToldAndSoIsThatItIsNotThere) {
  program("vgchange", "echo 'Volume group \"nas\" is exported' >&2; exit 5");
  const auto refused = mount({{"data"}});
  ASSERT_EQ(refused.size(), 1U);
  EXPECT_EQ(refused[0].happened, MountHappened::kFailed);
  EXPECT_THAT(refused[0].detail, HasSubstr("is exported"));
  fs::remove(directory_ / "pvs");
  const auto absent = mount({{"data"}});
  ASSERT_EQ(absent.size(), 1U);
  EXPECT_EQ(absent[0].happened, MountHappened::kFailed);
  EXPECT_THAT(absent[0].detail, HasSubstr("pvs"));
}

TEST_F(Layers, OneMountPointIsForOneDevice) {
  logical("dm-10", "nas-home", {"dm-0"}, "253:10");
  const auto place = (directory_ / "home").string();
  const auto one = mount({{"data", {{}, place, {}}}});
  ASSERT_EQ(one.size(), 1U);
  EXPECT_EQ(one[0].happened, MountHappened::kMounted) << one[0].detail;
  EXPECT_THAT(calls(), HasSubstr("mount -- " + mapper("nas-home") + " " + place + "\n"));
  logical("dm-11", "nas-srv", {"dm-0"}, "253:11");
  for (const auto& outcome : mount({{"data", {{}, place, {}}}})) {
    EXPECT_EQ(outcome.happened, MountHappened::kFailed);
    EXPECT_THAT(outcome.detail, HasSubstr("name each in fstab"));
  }
}

TEST_F(Layers, AVolumeIsMountedWhereWhatLiesOnItIs) {
  group();
  put(directory_ / "mountinfo", "30 1 253:12 / /srv/www rw - ext4 /dev/mapper/nas-w--w rw\n");
  const auto states = make_luks_unlocker(played())->inspect({{"data"}, {"more"}});
  ASSERT_TRUE(states);
  EXPECT_TRUE((*states)[0].is_mounted);
  EXPECT_EQ((*states)[0].mountpoint, "/srv/www");
  EXPECT_FALSE((*states)[1].is_mounted);
}

TEST_F(Layers, WhatLiesOnItIsUnmountedAndTakenDownFirst) {
  logical("dm-10", "nas-a--b--home", {"dm-0"}, "253:10");
  lay("md7", {"dm-10", "dm-2"});
  put(sys() / "md7/md/array_state", "inactive\n");
  put(sys() / "md7/dev", "9:7\n");
  put(directory_ / "mountinfo", "30 1 9:7 / /srv rw - ext4 /dev/md7 rw\n");
  ASSERT_TRUE(make_luks_unlocker(played())->unmount({{"data"}, {"more"}}, {}));
  EXPECT_EQ(calls(), "umount /srv\n") << "once, though it lies on both";
  put(directory_ / "mountinfo", "");
  put(directory_ / "calls", "");
  static_cast<void>(close("data"));
  EXPECT_EQ(calls(),
            "mdadm --stop " + (dev() / "md7").string() + "\nlvchange --yes --activate n -- nas/a-b-home\n");
}

TEST_F(Layers, NothingIsTakenDownOfWhatIsInUse) {
  group();
  put(directory_ / "mountinfo", "30 1 253:12 / /srv/www rw - ext4 /dev/mapper/nas-w--w rw\n");
  const auto mounted = close("data");
  EXPECT_EQ(mounted.happened, Happened::kFailed);
  EXPECT_THAT(mounted.detail, HasSubstr("mounted at /srv/www"));
  put(directory_ / "mountinfo", "");
  put(directory_ / "swaps",
      "Filename Type Size Used Priority\n" + (dev() / "dm-10").string() + " partition 1 0 -2\n");
  const auto swapping = close("data");
  EXPECT_EQ(swapping.happened, Happened::kFailed);
  EXPECT_THAT(swapping.detail, HasSubstr("used as swap (swapoff " + mapper("nas-home") + ")"));
  EXPECT_EQ(calls(), "");
}

TEST_F(Layers, NothingIsTakenDownBelowAnotherVolumeThatIsOpen) {
  logical("dm-10", "nas-inner", {"dm-0"}, "253:10");
  logical("dm-12", "nas-home", {"dm-0"}, "253:12");
  mapping("dm-11", "inner", "CRYPT-LUKS2-8-inner", "253:11", "dm-10");
  lay("dm-11", {"dm-10"});
  const auto kept = close("data");
  EXPECT_EQ(kept.happened, Happened::kFailed);
  EXPECT_THAT(kept.detail, HasSubstr("below the mapping inner"));
  EXPECT_EQ(calls(), "");
}

TEST_F(Layers, WhyItStaysUpIsTold) {
  group();
  program("lvchange", "echo 'Logical volume nas/home is used by another device.' >&2; exit 5");
  const auto kept = close("data");
  EXPECT_EQ(kept.happened, Happened::kFailed);
  EXPECT_THAT(kept.detail, HasSubstr("is used by another device"));
}

TEST_F(Layers, ABtrfsOfTwoIsMountedOnceAndUnmountedOnce) {
  program("blkid", "echo btrfs");
  for (const auto& [name, node] : {std::pair{"data", "dm-0"}, std::pair{"more", "dm-2"}}) {
    fs::create_directories(directory_ / "btrfs/1-2" / "devices" / node);
    fs::remove(mapper(name));
    fs::create_symlink(std::string("../") + node, mapper(name));
    put(dev() / node, "");
  }
  const auto place = (directory_ / "pool").string();
  put(directory_ / "mountinfo", "30 1 0:50 / " + place + " rw - btrfs " + mapper("data") + " rw\n");
  const std::vector<VolumeRef> both{{"data", {{}, place, {}}}, {"more", {{}, place, {}}}};
  const auto outcomes = mount(both);
  ASSERT_EQ(outcomes.size(), 2U);
  for (const auto& outcome : outcomes) EXPECT_EQ(outcome.happened, MountHappened::kAlreadyMounted);
  EXPECT_EQ(calls(), "");
  const auto unmounted = make_luks_unlocker(played())->unmount({{"more"}}, {});
  ASSERT_TRUE(unmounted);
  EXPECT_EQ(unmounted->size(), 1U);
  EXPECT_EQ(calls(), "umount " + place + "\n");
}

TEST_F(Layers, AVolumeNeedsTheOneThatItsLogicalVolumeLiesOn) {
  logical("dm-10", "nas-inner", {"dm-0"}, "253:10");
  fs::remove(mapper("nas-inner"));
  fs::create_symlink("../dm-10", mapper("nas-inner"));
  put(dev() / "dm-10", "");
  const auto surveys = make_luks_unlocker(played())->survey({{"inner", {mapper("nas-inner"), {}, {}}}});
  ASSERT_TRUE(surveys);
  EXPECT_THAT(surveys->front().needs, testing::Contains(mapper("data")));
}

TEST_F(Layers, WhereALogicalVolumeThatIsNotThereMayComeIsKnown) {
  put(directory_ / "fstab", (dev() / "nas/home").string() + " /home ext4 nofail 0 0\n" + mapper("data") +
                                " /data ext4 nofail 0 0\n" + (dev() / "vdd").string() +
                                " /there ext4 nofail 0 0\n");
  fs::remove(mapper("data"));
  const auto surveys = make_luks_unlocker(played())->survey({{"data"}});
  ASSERT_TRUE(surveys);
  EXPECT_THAT(surveys->front().maybe_places, ElementsAre("/home"));
}

}  // namespace
}  // namespace zkv::unlock
