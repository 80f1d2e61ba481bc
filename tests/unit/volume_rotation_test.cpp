// Changing volumes' keys, ended between any two steps: what the repository holds opens every volume, and the
// same call goes on.
#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <functional>
#include <map>
#include <optional>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/encoding.h"
#include "base/file.h"
#include "host/volume_rotation.h"
#include "http_server.h"
#include "repository/change.h"
#include "repository/repository.h"
#include "storage_world.h"
#include "unlock/either_key.h"

namespace zkv::host {
namespace {

using repository::VolumeKind;
using testing::ElementsAre;
using testing::Field;
using testing::IsEmpty;
using unlock::Happened;
using Outcomes = std::vector<unlock::Outcome>;
using Changed = VolumeChange::Happened;

constexpr std::size_t kKeySize = 32;

std::string text_of(std::span<const std::uint8_t> bytes) { return {bytes.begin(), bytes.end()}; }

/// The power goes.
struct Cut {};

/// Devices as the disk has them: each opens by any of a set of keys. They outlive whoever speaks to them.
struct Disk {
  std::map<std::string, std::set<std::string>> keys;
  std::set<std::string> missing;
  std::set<std::string> refusing;
  std::function<void(const std::string& volume)> while_given;  ///< a new key
  bool has_one_key = false;  ///< as ZFS: a new key takes the place of the old
  int steps_left = -1;       ///< then the power goes, in the midst of a step; negative: never

  void step() {
    if (steps_left >= 0 && steps_left-- == 0) throw Cut();
  }
};

class DiskUnlocker final : public unlock::Unlocker {
 public:
  DiskUnlocker(Disk& disk, VolumeKind kind) : disk_(disk), kind_(kind) {}

  [[nodiscard]] VolumeKind kind() const override { return kind_; }
  [[nodiscard]] std::string_view name() const override { return "disk"; }
  [[nodiscard]] Result<> check(const unlock::VolumeRef&) const override { return {}; }
  [[nodiscard]] Result<std::vector<unlock::VolumeState>> inspect(
      const std::vector<unlock::VolumeRef>&) override {
    return {};
  }
  [[nodiscard]] Result<std::vector<unlock::VolumeState>> discover() override { return {}; }
  [[nodiscard]] Result<std::vector<unlock::Survey>> survey(const std::vector<unlock::VolumeRef>&) override {
    return {};
  }
  [[nodiscard]] Outcomes open(std::span<const Volume> volumes, unlock::Attempt,
                              const std::stop_token&) override {
    Outcomes outcomes;
    for (const auto& volume : volumes) {
      disk_.step();
      const bool is_missing = disk_.missing.contains(volume.name);
      const bool fits = disk_.keys[volume.name].contains(text_of(volume.key));
      outcomes.push_back({volume.name,
                          is_missing ? Happened::kMissing
                          : fits     ? Happened::kKeyFits
                                     : Happened::kWrongKey,
                          {},
                          {},
                          {}});
    }
    return outcomes;
  }
  [[nodiscard]] std::size_t new_key_size() const override { return kKeySize; }
  [[nodiscard]] Result<> check_change(const unlock::VolumeRef& volume) const override {
    return kind_ == VolumeKind::kPlain ? Unlocker::check_change(volume) : Result<>();
  }
  [[nodiscard]] Result<> give_key(const Volume& volume, std::span<const std::uint8_t> key) override {
    disk_.step();
    if (disk_.refusing.contains(volume.name)) return Error::io("no");
    if (disk_.while_given) disk_.while_given(volume.name);
    auto& keys = disk_.keys[volume.name];
    if (!keys.contains(text_of(volume.key))) return Error::wrong_key("not its key");
    if (disk_.has_one_key) keys.clear();
    keys.insert(text_of(key));
    disk_.step();
    return {};
  }
  [[nodiscard]] Result<> take_key(const Volume& volume, std::span<const std::uint8_t> key) override {
    disk_.step();
    auto& keys = disk_.keys[volume.name];
    if (!keys.contains(text_of(volume.key))) return Error::wrong_key("not its key");
    keys.erase(text_of(key));
    disk_.step();
    return {};
  }
  [[nodiscard]] Outcomes close(const std::vector<unlock::VolumeRef>&, const std::stop_token&) override {
    return {};
  }
  [[nodiscard]] Result<std::vector<unlock::MountOutcome>> mount_unheld(const std::vector<unlock::VolumeRef>&,
                                                                       const std::vector<std::string>&,
                                                                       const std::stop_token&) override {
    return {};
  }
  [[nodiscard]] Result<std::vector<unlock::MountOutcome>> unmount(const std::vector<unlock::VolumeRef>&,
                                                                  const std::stop_token&) override {
    return {};
  }

 private:
  Disk& disk_;
  VolumeKind kind_;
};

class VolumeRotation : public testing::Test {
 protected:
  VolumeRotation() {
    EXPECT_TRUE(repository::create(path_, repository::Format::kVersion2, key_, false));
    EXPECT_TRUE(repository::edit(path_, key_, [this](repository::VolumeKeys& keys) -> Result<> {
      for (const std::string name : {"a", "b"}) {
        ZKV_CHECK(keys.add(name, VolumeKind::kLuks, bytes_of("old " + name)));
        disk_.keys[name] = {"old " + name};
      }
      return keys.add("plain", VolumeKind::kPlain, bytes_of("a plain key"));
    }));
    disk_.keys["plain"] = {"a plain key"};
    unlockers_.push_back(std::make_unique<DiskUnlocker>(disk_, VolumeKind::kLuks));
    unlockers_.push_back(std::make_unique<DiskUnlocker>(disk_, VolumeKind::kPlain));
  }

  std::vector<VolumeChange> begin() {
    return begin_volume_changes(path_, key_, unlockers_, storage_.look()).value();
  }
  test::StorageWorld storage_;
  std::vector<VolumeChange> resume() {
    return resume_volume_changes(path_, key_, unlockers_, {}, keep_).value();
  }
  std::vector<std::string> told_;
  AfterChange keep_ = [this](const VolumeChange& change) { told_.push_back(change.volume); };

  [[nodiscard]] std::vector<std::string> pending() const {
    return pending_volume_changes(path_, key_).value();
  }
  [[nodiscard]] repository::Opened opened() const { return repository::open(path_, key_).value(); }

  /// How each volume opens by what the repository holds.
  std::vector<Happened> opens() {
    const auto held = opened();
    std::vector<Happened> all;
    for (const auto& volume : held.keys.volumes()) {
      DiskUnlocker unlocker(disk_, volume.kind);
      all.push_back(unlock::open_by_either_key(unlocker, std::span(&volume, 1), unlock::Attempt::kTrial, {})
                        .front()
                        .happened);
    }
    return all;
  }
  void expect_all_open() {
    EXPECT_THAT(opens(), ElementsAre(Happened::kKeyFits, Happened::kKeyFits, Happened::kKeyFits));
  }

  /// Begins and goes through, and the power goes at step `at`. False: it came to its end before.
  bool is_cut_at(int at) {
    disk_.steps_left = at;
    try {
      begin();
      resume();
    } catch (const Cut&) {
      disk_.steps_left = -1;
      return true;
    }
    disk_.steps_left = -1;
    return false;
  }

  void expect_changed() {
    EXPECT_THAT(pending(), IsEmpty());
    for (const std::string name : {"a", "b"}) {
      EXPECT_EQ(disk_.keys[name].size(), 1U) << name;
      EXPECT_FALSE(disk_.keys[name].contains("old " + name)) << name;
    }
    expect_all_open();
  }

  test::TemporaryDirectory directory_;
  std::filesystem::path path_ = directory_ / "repository";
  SecretBytes key_ = repository::new_key();
  Disk disk_;
  Unlockers unlockers_;
};

TEST_F(VolumeRotation, GivesEachVolumeAKeyOfItsOwnAndTakesTheOldOneAway) {
  EXPECT_THAT(begin(), ElementsAre(testing::AllOf(Field(&VolumeChange::volume, "plain"),
                                                  Field(&VolumeChange::happened, Changed::kLeftAlone))));
  EXPECT_THAT(pending(), ElementsAre("a", "b"));
  expect_all_open();
  EXPECT_THAT(resume(), ElementsAre(Field(&VolumeChange::happened, Changed::kChanged),
                                    Field(&VolumeChange::happened, Changed::kChanged)));
  EXPECT_THAT(told_, ElementsAre("a", "b"));
  expect_changed();
  EXPECT_NE(disk_.keys["a"], disk_.keys["b"]);
  EXPECT_EQ(disk_.keys["a"].begin()->size(), kKeySize);
}

TEST_F(VolumeRotation, WhatTheSystemLiesOnKeepsItsKey) {
  encrypt_root(storage_, "a");
  const auto left = begin();
  ASSERT_EQ(left.size(), 2U);
  EXPECT_EQ(left.front().volume, "a");
  EXPECT_EQ(left.front().happened, Changed::kLeftAlone);
  EXPECT_THAT(left.front().remedy, testing::HasSubstr("cryptsetup luksChangeKey"));
  EXPECT_THAT(pending(), ElementsAre("b"));
  resume();
  EXPECT_EQ(disk_.keys["a"], std::set<std::string>{"old a"});
  EXPECT_EQ(text_of(opened().keys.volumes().front().key), "old a");
}

TEST_F(VolumeRotation, AKeyThatIsBeingChangedIsNotSettled) {
  EXPECT_TRUE(opened().keys.check_settled("a"));
  begin();
  const auto held = opened();
  ASSERT_FALSE(held.keys.check_settled("a"));
  EXPECT_EQ(held.keys.check_settled("a").error().kind(), ErrorKind::kConflict);
  EXPECT_TRUE(held.keys.check_settled("plain"));
  EXPECT_TRUE(held.keys.check_settled("none such"));
  resume();
  EXPECT_TRUE(opened().keys.check_settled("a"));
}

TEST_F(VolumeRotation, CutOffAnywhereEverythingOpensAndItGoesOn) {
  int cuts = 0;
  while (is_cut_at(cuts)) {
    expect_all_open();
    begin();
    resume();
    expect_changed();
    ++cuts;
  }
  EXPECT_GT(cuts, 10);
}

TEST_F(VolumeRotation, CutOffAnywhereWithAKeyThatTakesThePlaceOfTheOld) {
  disk_.has_one_key = true;
  int cuts = 0;
  while (is_cut_at(cuts)) {
    expect_all_open();
    resume();
    begin();
    resume();
    expect_changed();
    ++cuts;
  }
  EXPECT_GT(cuts, 10);
}

TEST_F(VolumeRotation, CutOffAgainAndAgainItComesToItsEnd) {
  begin();
  for (int i = 0; i < 40 && !pending().empty(); ++i) {
    static_cast<void>(is_cut_at(i % 8));
    expect_all_open();
  }
  resume();
  expect_changed();
}

TEST_F(VolumeRotation, AVolumeThatCannotBeChangedNowStopsNoOtherAndIsPending) {
  disk_.missing = {"a"};
  begin();
  EXPECT_THAT(resume(), ElementsAre(Field(&VolumeChange::happened, Changed::kPending),
                                    Field(&VolumeChange::happened, Changed::kChanged)));
  EXPECT_THAT(pending(), ElementsAre("a"));
  disk_.missing.clear();
  expect_all_open();
  resume();
  expect_changed();
}

TEST_F(VolumeRotation, AVolumeThatRefusesKeepsItsKey) {
  disk_.refusing = {"b"};
  begin();
  EXPECT_THAT(resume().back().why, "no");
  EXPECT_EQ(disk_.keys["b"], std::set<std::string>{"old b"});
  expect_all_open();
}

TEST_F(VolumeRotation, WhereNeitherKeyFitsNothingIsDone) {
  begin();
  disk_.keys["a"] = {"somebody else's"};
  EXPECT_EQ(resume().front().happened, Changed::kPending);
  EXPECT_EQ(disk_.keys["a"], std::set<std::string>{"somebody else's"});
  EXPECT_THAT(pending(), ElementsAre("a"));
}

TEST_F(VolumeRotation, BeginningAgainMakesNoOtherKeys) {
  begin();
  const auto first = text_of(opened().keys.volumes().front().next_key);
  begin();
  EXPECT_EQ(text_of(opened().keys.volumes().front().next_key), first);
}

TEST_F(VolumeRotation, AfterAStopRequestTheRestIsPending) {
  begin();
  std::stop_source stop;
  stop.request_stop();
  const auto changes = resume_volume_changes(path_, key_, unlockers_, stop.get_token(), keep_).value();
  EXPECT_THAT(changes, testing::Each(Field(&VolumeChange::happened, Changed::kPending)));
  EXPECT_THAT(told_, IsEmpty());
  expect_all_open();
}

TEST_F(VolumeRotation, AKeyThatIsPutInByHandEndsTheChange) {
  begin();
  ASSERT_TRUE(repository::edit(path_, key_, [](repository::VolumeKeys& keys) {
    return keys.add("a", VolumeKind::kLuks, bytes_of("mine"), true);
  }));
  EXPECT_THAT(pending(), ElementsAre("b"));
}

TEST_F(VolumeRotation, AKeyThatIsPutInWhileAnotherIsChangedStays) {
  disk_.has_one_key = true;
  begin();
  keep_ = [this](const VolumeChange& change) {
    ASSERT_EQ(change.volume, "a");
    ASSERT_TRUE(repository::edit(path_, key_, [](repository::VolumeKeys& keys) {
      return keys.add("b", VolumeKind::kLuks, bytes_of("old b"), true);
    }));
  };
  EXPECT_THAT(resume(), ElementsAre(Field(&VolumeChange::happened, Changed::kChanged),
                                    Field(&VolumeChange::happened, Changed::kLeftAlone)));
  EXPECT_EQ(disk_.keys["b"], std::set<std::string>{"old b"});
  EXPECT_THAT(pending(), IsEmpty());
  expect_all_open();
}

TEST_F(VolumeRotation, AVolumeThatIsTakenAwayMeanwhileIsLeftAlone) {
  begin();
  keep_ = [this](const VolumeChange&) {
    ASSERT_TRUE(repository::edit(path_, key_, [](repository::VolumeKeys& keys) { return keys.remove("b"); }));
  };
  EXPECT_EQ(resume().back().happened, Changed::kLeftAlone);
  EXPECT_EQ(disk_.keys["b"], std::set<std::string>{"old b"});
}

TEST_F(VolumeRotation, NobodyElseWritesWhileAVolumesKeyIsChanged) {
  begin();
  int tries = 0;
  disk_.while_given = [&](const std::string&) {
    const FileDescriptor lock(::open((path_.string() + ".lock").c_str(), O_RDWR | O_CLOEXEC));
    ASSERT_TRUE(lock.is_open());
    EXPECT_EQ(::flock(lock.get(), LOCK_EX | LOCK_NB), -1);
    EXPECT_EQ(errno, EWOULDBLOCK);
    ++tries;
  };
  resume();
  EXPECT_EQ(tries, 2);
  expect_changed();
}

TEST_F(VolumeRotation, WhatIsDerivedIsNotKeptWhileTheKeyChanges) {
  repository::VolumeKeys keys;
  ASSERT_TRUE(keys.add("a", VolumeKind::kZfs, bytes_of("passphrase")));
  ASSERT_TRUE(keys.begin_change("a", bytes_of("next")));
  std::vector<unlock::DerivedFor> derived;
  derived.push_back({"a", 1, 100'000, SecretBytes(repository::kDerivedKeySize)});
  ASSERT_TRUE(unlock::keep_derived(keys, derived));
  EXPECT_FALSE(keys.volumes().front().derived.has_value());
}

TEST(NextKey, IsForgottenWithTheChangeAndRefusedWhereItIsEmpty) {
  repository::VolumeKeys keys;
  EXPECT_EQ(keys.begin_change("a", bytes_of("next")).error().kind(), ErrorKind::kNotFound);
  EXPECT_EQ(keys.finish_change("a").error().kind(), ErrorKind::kNotFound);
  ASSERT_TRUE(keys.add("a", VolumeKind::kZfs, bytes_of("key")));
  EXPECT_EQ(keys.begin_change("a", {}).error().kind(), ErrorKind::kInvalid);
  EXPECT_EQ(keys.finish_change("a").error().kind(), ErrorKind::kNotFound);
  ASSERT_TRUE(keys.begin_change("a", bytes_of("next")));
  ASSERT_TRUE(keys.finish_change("a"));
  EXPECT_EQ(text_of(keys.volumes().front().key), "next");
  EXPECT_TRUE(keys.volumes().front().next_key.empty());
}

}  // namespace
}  // namespace zkv::host
