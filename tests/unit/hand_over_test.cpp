// Keys for others: the shelf, who may have what, and volumes that systemd opens while zkv waits.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <latch>
#include <thread>

#include "base/encoding.h"
#include "host/peer.h"
#include "unlock/hand_over.h"

namespace zkv {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace)
using host::parse_wanted;
using host::Wanted;
using repository::VolumeKind;
using testing::ElementsAre;
using testing::IsEmpty;
using unlock::Attempt;
using unlock::HandOver;
using unlock::Happened;
using unlock::KeyShelf;
using unlock::ShelfKind;
using Volume = unlock::Unlocker::Volume;

std::string from_root(std::string_view address) { return std::string(1, '\0') + std::string(address); }

TEST(Wanted, AreReadFromTheAddressesThatSystemdBindsTo) {
  const auto volume = parse_wanted(from_root("5a3f09b1c2d4e6f7/cryptsetup/data-1"));
  ASSERT_TRUE(volume);
  EXPECT_EQ(volume->kind, Wanted::Kind::kVolume);
  EXPECT_EQ(volume->name, "data-1");
  const auto credential = parse_wanted(from_root("1/unit/app@x\\x2dy.service/token"));
  ASSERT_TRUE(credential);
  EXPECT_EQ(credential->kind, Wanted::Kind::kCredential);
  EXPECT_EQ(credential->unit, "app@x\\x2dy.service");
  EXPECT_EQ(credential->name, "token");
}

TEST(Wanted, AreNothingElse) {
  for (const std::string_view address :
       {"", "/", "//", "a1", "a1/", "a1/cryptsetup", "a1/cryptsetup/", "a1/cryptsetup/a/b",
        "/cryptsetup/data", "A1/cryptsetup/data", "xyz/cryptsetup/data", "a1/unit/app.service",
        "a1/unit/app.service/", "a1/unit//token", "a1/unit/a b/token", "a1/cryptsetup/d\x01",
        "a1/cryptsetup/d\xc3\xa4", "a1/units/app.service/token"}) {
    EXPECT_FALSE(parse_wanted(from_root(address))) << address;
  }
  EXPECT_FALSE(parse_wanted("a1/cryptsetup/data")) << "a path of the file system";
  EXPECT_FALSE(parse_wanted({}));
  EXPECT_FALSE(parse_wanted(from_root(std::string_view("a1/cryptsetup/da\0ta", 19))));
}

TEST(TheShelf, HandsOutWhatItHoldsUntilThatIsTakenOff) {
  KeyShelf shelf;
  shelf.put(ShelfKind::kVolume, "data", bytes_of("key"));
  EXPECT_THAT(shelf.volumes_handed_out(), IsEmpty());
  const auto held = shelf.hand_out(ShelfKind::kVolume, "data");
  ASSERT_TRUE(held);
  EXPECT_THAT(shelf.volumes_handed_out(), ElementsAre("data"));
  shelf.drop(ShelfKind::kVolume, "data");
  EXPECT_EQ((*held)->view(), "key") << "who is being served keeps it to the end";
  EXPECT_EQ(shelf.hand_out(ShelfKind::kVolume, "data").error().kind(), ErrorKind::kNotFound);
}

TEST(TheShelf, KeepsVolumesAndSecretsApart) {
  KeyShelf shelf;
  shelf.put(ShelfKind::kVolume, "one", bytes_of("key"));
  shelf.put(ShelfKind::kSecret, "two", bytes_of("secret"));
  EXPECT_FALSE(shelf.hand_out(ShelfKind::kSecret, "one", "app.service"));
  EXPECT_FALSE(shelf.hand_out(ShelfKind::kVolume, "two"));
  EXPECT_EQ(shelf.count(ShelfKind::kSecret), 1U);
  shelf.clear();
  EXPECT_EQ(shelf.count(ShelfKind::kSecret) + shelf.count(ShelfKind::kVolume), 0U);
}

TEST(TheShelf, KnowsWhichUnitsMayHaveASecret) {
  KeyShelf shelf;
  shelf.put(ShelfKind::kSecret, "all", bytes_of("s"));
  shelf.put(ShelfKind::kSecret, "some", bytes_of("s"), {"app.service", "worker@.service"});
  EXPECT_TRUE(shelf.hand_out(ShelfKind::kSecret, "all", "any.service"));
  EXPECT_TRUE(shelf.hand_out(ShelfKind::kSecret, "some", "app.service"));
  EXPECT_TRUE(shelf.hand_out(ShelfKind::kSecret, "some", "worker@1.service"));
  for (const auto* unit :
       {"", "app", "app.socket", "worker.service", "worker@1.socket", "app@1.service", "xapp.service"}) {
    EXPECT_EQ(shelf.hand_out(ShelfKind::kSecret, "some", unit).error().kind(), ErrorKind::kDenied) << unit;
  }
}

/// A machine whose mappings are files, and an unlocker that opens by making such a file.
class Handing : public testing::Test {
 protected:
  class Inner final : public unlock::Unlocker {
   public:
    explicit Inner(Handing& test) : test_(test) {}
    [[nodiscard]] VolumeKind kind() const override { return VolumeKind::kLuks; }
    [[nodiscard]] std::string_view name() const override { return "luks"; }
    [[nodiscard]] Result<> check(const unlock::VolumeRef&) const override { return {}; }
    [[nodiscard]] Result<std::vector<unlock::VolumeState>> inspect(
        const std::vector<unlock::VolumeRef>&) override {
      return std::vector<unlock::VolumeState>();
    }
    [[nodiscard]] Result<std::vector<unlock::VolumeState>> discover() override { return inspect({}); }
    [[nodiscard]] Result<std::vector<unlock::Survey>> survey(const std::vector<unlock::VolumeRef>&) override {
      return std::vector<unlock::Survey>();
    }
    [[nodiscard]] std::vector<unlock::Fingerprint> fingerprints(
        const std::vector<unlock::VolumeRef>& volumes) override {
      std::vector<unlock::Fingerprint> all;
      for (const auto& volume : volumes) all.push_back({volume.name, {{"slots", "of " + volume.name}}});
      return all;
    }
    [[nodiscard]] std::vector<unlock::Outcome> open(std::span<const Volume> volumes, Attempt,
                                                    const std::stop_token& stop) override {
      std::vector<unlock::Outcome> outcomes;
      for (const auto& volume : volumes) {
        auto happened = test_.is_mapped(volume.name) ? Happened::kAlreadyOpen : Happened::kOpened;
        if (stop.stop_requested()) happened = Happened::kInterrupted;
        if (happened == Happened::kOpened) test_.opened_by_zkv_.push_back(volume.name);
        outcomes.push_back({volume.name, happened, {}, {}, {}});
      }
      return outcomes;
    }
    [[nodiscard]] std::vector<unlock::Outcome> close(const std::vector<unlock::VolumeRef>&,
                                                     const std::stop_token&) override {
      return {};
    }
    [[nodiscard]] Result<std::vector<unlock::MountOutcome>> mount_unheld(
        const std::vector<unlock::VolumeRef>&, const std::vector<std::string>&,
        const std::stop_token&) override {
      return std::vector<unlock::MountOutcome>();
    }
    [[nodiscard]] Result<std::vector<unlock::MountOutcome>> unmount(const std::vector<unlock::VolumeRef>&,
                                                                    const std::stop_token&) override {
      return std::vector<unlock::MountOutcome>();
    }

   private:
    Handing& test_;
  };

  void SetUp() override {
    std::string name = fs::temp_directory_path() / "zkv-handing-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
    options_.blocks = folder_ / "block";
    options_.devices = folder_ / "dev";
    fs::create_directories(options_.devices / "mapper");
    hand_over_.restart_if = [this](const std::string& unit, const std::vector<std::string>& states) {
      if (states.empty() || states.front() != "failed") return;
      begun_anew_.push_back(unit);
      has_begun_.count_down();
    };
  }
  ~Handing() override { fs::remove_all(folder_); }

  void map(const std::string& name) const {
    fs::create_directories(options_.blocks / name / "dm");
    std::ofstream(options_.blocks / name / "dm" / "name") << name << "\n";
    std::ofstream(options_.devices / "mapper" / name) << "";
  }
  [[nodiscard]] bool is_mapped(const std::string& name) const {
    return fs::exists(options_.devices / "mapper" / name);
  }

  void add(const std::string& name, const std::string& options = {}) {
    ASSERT_TRUE(keys_.add(name, VolumeKind::kLuks, bytes_of("key of " + name)));
    ASSERT_TRUE(keys_.set_settings(name, {.device = "/dev/" + name, .options = options}));
  }
  HandOver& asks(const std::string& line) {
    hand_over_.lines = unlock::parse_crypttab(line);
    return hand_over_;
  }
  std::vector<unlock::Outcome> open(std::chrono::milliseconds ask_limit = 10min,
                                    Attempt attempt = Attempt::kOpen) {
    unlock::stock_shelf(keys_, hand_over_);
    hand_over_.ask_limit = ask_limit;
    const auto unlocker = unlock::make_handing_unlocker(std::make_unique<Inner>(*this), hand_over_, options_);
    return unlocker->open(keys_.volumes(), attempt, stop_.get_token());
  }

  fs::path folder_;
  unlock::CryptOptions options_;
  repository::VolumeKeys keys_;
  KeyShelf shelf_;
  HandOver hand_over_{&shelf_};
  std::stop_source stop_;
  std::vector<std::string> opened_by_zkv_;
  std::vector<std::string> begun_anew_;  ///< units, where they have failed
  std::latch has_begun_{1};              ///< the first of them
};

TEST_F(Handing, WhatTheDriftGuardComparesIsSeenAsWithoutIt) {
  const auto unlocker = unlock::make_handing_unlocker(std::make_unique<Inner>(*this), hand_over_, options_);
  const auto prints = unlocker->fingerprints({{"data"}});
  ASSERT_EQ(prints.size(), 1U);
  EXPECT_EQ(prints[0].marks.at("slots"), "of data");
}

TEST_F(Handing, AVolumeWithALineIsLeftToSystemdAndItsKeyIsWipedThen) {
  add("data");
  add("other");
  asks("data /dev/data /run/zkv/cryptsetup.sock luks,_netdev");
  std::jthread systemd([&] {
    has_begun_.wait();
    const auto key = shelf_.hand_out(ShelfKind::kVolume, "data");
    ASSERT_TRUE(key);
    EXPECT_EQ((*key)->view(), "key of data");
    map("data");
  });
  const auto outcomes = open();
  EXPECT_EQ(outcomes[0].happened, Happened::kOpened);
  EXPECT_EQ(outcomes[0].detail, "by systemd-cryptsetup");
  EXPECT_EQ(outcomes[1].happened, Happened::kOpened);
  EXPECT_THAT(begun_anew_, ElementsAre("systemd-cryptsetup@data.service")) << "once, before it is awaited";
  EXPECT_THAT(opened_by_zkv_, ElementsAre("other"));
  EXPECT_FALSE(shelf_.holds(ShelfKind::kVolume, "data"));
  EXPECT_FALSE(shelf_.holds(ShelfKind::kVolume, "other"));
}

TEST_F(Handing, WhatSystemdHasOpenedBeforeAnybodyLooksIsNamedAsItsWork) {
  add("data");
  asks("data /dev/data /run/zkv/cryptsetup.sock luks");
  unlock::stock_shelf(keys_, hand_over_);
  ASSERT_TRUE(shelf_.hand_out(ShelfKind::kVolume, "data"));
  map("data");
  const auto unlocker = unlock::make_handing_unlocker(std::make_unique<Inner>(*this), hand_over_, options_);
  const auto outcomes = unlocker->open(keys_.volumes(), Attempt::kOpen, {});
  EXPECT_EQ(outcomes[0].happened, Happened::kOpened);
  EXPECT_EQ(outcomes[0].detail, "by systemd-cryptsetup");
  EXPECT_THAT(begun_anew_, IsEmpty());
  EXPECT_FALSE(shelf_.holds(ShelfKind::kVolume, "data"));
}

TEST_F(Handing, WhoseHeaderProtectsNothingIsNotHandedToSystemd) {
  add("data");
  add("other");
  asks("data /dev/data /run/zkv/cryptsetup.sock luks\nother /dev/other /run/zkv/cryptsetup.sock luks")
      .may_have_key = [](const Volume& volume) -> Result<> {
    if (volume.name == "other") return {};
    return Error::denied("a header that protects nothing");
  };
  std::vector<std::string> said;
  hand_over_.say = [&](const std::string& line) { said.push_back(line); };
  unlock::stock_shelf(keys_, hand_over_);
  EXPECT_FALSE(shelf_.holds(ShelfKind::kVolume, "data"));
  EXPECT_TRUE(shelf_.holds(ShelfKind::kVolume, "other"));
  const std::string why = "a header that protects nothing; do not type its passphrase";
  EXPECT_THAT(said, ElementsAre("warning: systemd gets no key of data: " + why)) << "before anybody asks";
  for (int round = 0; round < 2; ++round) {
    const auto refused = shelf_.hand_out(ShelfKind::kVolume, "data");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().message(), why);
    shelf_.drop(ShelfKind::kVolume, "data");  // it was tried here
    shelf_.clear();                           // and who is queued yet is answered
  }
  EXPECT_EQ(shelf_.hand_out(ShelfKind::kVolume, "unknown").error().kind(), ErrorKind::kNotFound);
}

TEST_F(Handing, WhatIsOpenOrCannotBeLookedAtIsWithheldWithoutAWordOfPassphrases) {
  add("open");
  add("silent");
  asks("open /dev/o /run/zkv/cryptsetup.sock luks\nsilent /dev/s /run/zkv/cryptsetup.sock luks")
      .may_have_key = [](const Volume& volume) -> Result<> {
    if (volume.name == "open") return Error::exists("open is open already");
    return Error::unavailable("/dev/s does not answer");
  };
  std::vector<std::string> said;
  hand_over_.say = [&](const std::string& line) { said.push_back(line); };
  unlock::stock_shelf(keys_, hand_over_);
  EXPECT_THAT(said, ElementsAre("warning: systemd gets no key of silent: /dev/s does not answer"));
  EXPECT_EQ(shelf_.hand_out(ShelfKind::kVolume, "open").error().message(), "open is open already");
}

TEST_F(Handing, WhatSystemdDoesNotAskForIsOpenedAfterAll) {
  add("data");
  asks("data /dev/data /run/zkv/cryptsetup.sock luks");
  EXPECT_EQ(open(0ms)[0].happened, Happened::kOpened);
  EXPECT_THAT(opened_by_zkv_, ElementsAre("data"));
  EXPECT_FALSE(shelf_.holds(ShelfKind::kVolume, "data"));
}

TEST_F(Handing, WhatSystemdAskedForAndDidNotOpenIsOpenedAfterAll) {
  add("data");
  asks("data /dev/data /run/zkv/cryptsetup.sock luks").open_limit = 0ms;
  unlock::stock_shelf(keys_, hand_over_);
  hand_over_.ask_limit = 10min;
  ASSERT_TRUE(shelf_.hand_out(ShelfKind::kVolume, "data"));
  const auto unlocker = unlock::make_handing_unlocker(std::make_unique<Inner>(*this), hand_over_, options_);
  EXPECT_EQ(unlocker->open(keys_.volumes(), Attempt::kOpen, {})[0].happened, Happened::kOpened);
  EXPECT_THAT(opened_by_zkv_, ElementsAre("data"));
}

TEST_F(Handing, WhatIsOpenIsNotWaitedFor) {
  add("data");
  asks("data /dev/data /run/zkv/cryptsetup.sock luks");
  map("data");
  EXPECT_EQ(open()[0].happened, Happened::kAlreadyOpen);
  EXPECT_FALSE(shelf_.holds(ShelfKind::kVolume, "data"));
  EXPECT_THAT(begun_anew_, ElementsAre("systemd-cryptsetup@data.service")) << "it asks in vain";
}

TEST_F(Handing, ALineWithNoautoIsServedForAsLongAsItTakes) {
  add("data", "keyfile-offset=4");
  asks("data /dev/data /run/zkv/cryptsetup.sock luks,noauto");
  EXPECT_EQ(open()[0].happened, Happened::kServed);
  EXPECT_THAT(opened_by_zkv_, IsEmpty());
  EXPECT_THAT(begun_anew_, IsEmpty());
  const auto key = shelf_.hand_out(ShelfKind::kVolume, "data");
  ASSERT_TRUE(key);
  EXPECT_EQ((*key)->view(), "of data");
}

TEST_F(Handing, AStopEndsTheWaiting) {
  add("data");
  asks("data /dev/data /run/zkv/cryptsetup.sock luks");
  stop_.request_stop();
  EXPECT_EQ(open()[0].happened, Happened::kInterrupted);
  EXPECT_FALSE(shelf_.holds(ShelfKind::kVolume, "data"));
}

TEST_F(Handing, LinesThatAskSomebodyElseAreNotOurs) {
  const auto path = folder_ / "crypttab";
  std::ofstream(path) << "a /dev/a none luks\nb /dev/b /run/other.sock\n# c /dev/c /run/zkv/cryptsetup.sock\n"
                      << "d /dev/d /run/zkv/cryptsetup.sock luks,_netdev\n";
  const auto lines = unlock::lines_that_ask(path);
  ASSERT_TRUE(lines);
  ASSERT_EQ(lines->size(), 1U);
  EXPECT_EQ(lines->front().name, "d");
  EXPECT_THAT(*unlock::lines_that_ask(folder_ / "none"), IsEmpty());
}

TEST_F(Handing, OnlySecretsWithoutAFileAreServed) {
  ASSERT_TRUE(keys_.add("token", VolumeKind::kSecret, bytes_of("s3cret")));
  ASSERT_TRUE(keys_.set_settings("token", {.options = "unit=app.service"}));
  ASSERT_TRUE(keys_.add("written", VolumeKind::kSecret, bytes_of("s3cret")));
  ASSERT_TRUE(keys_.set_settings("written", {.mountpoint = "/run/secrets/written"}));
  unlock::stock_shelf(keys_, hand_over_);
  EXPECT_TRUE(shelf_.hand_out(ShelfKind::kSecret, "token", "app.service"));
  EXPECT_FALSE(shelf_.hand_out(ShelfKind::kSecret, "token", "other.service"));
  EXPECT_FALSE(shelf_.hand_out(ShelfKind::kSecret, "written", "app.service"));
}

}  // namespace
}  // namespace zkv
