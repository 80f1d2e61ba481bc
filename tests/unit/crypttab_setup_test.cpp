// What keeps systemd from opening volumes with our keys, and the changes that mend it.
#include "host/crypttab_setup.h"
#include "storage_world.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

namespace zkv::host {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class Crypttab : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = fs::temp_directory_path() / "zkv-crypttab-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
    places_ = {folder_ / "crypttab", folder_ / "units", folder_ / "dev", folder_ / "sock"};
    for (const auto* unit : {"remote-cryptsetup.target", "zfs-keyvault.service"}) enable(unit);
  }
  ~Crypttab() override { fs::remove_all(folder_); }

  void enable(const std::string& unit) const {
    const auto wants = places_.units / "multi-user.target.wants";
    fs::create_directories(wants);
    fs::create_symlink("/lib/systemd/system/" + unit, wants / unit);
  }
  void write(const std::string& text) const { std::ofstream(places_.crypttab) << text; }
  [[nodiscard]] std::string content(const fs::path& path) const {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  }
  [[nodiscard]] std::string asking(const std::string& options) const {
    return "data /dev/sdb " + places_.socket.string() + " " + options + "\n";
  }
  [[nodiscard]] std::vector<std::string> findings(const std::string& text, bool knows_all = true) const {
    write(text);
    std::vector<std::string> words;
    const auto found = check_crypttab(known_, knows_all, system_, places_);
    for (const auto& finding : *found) {
      words.push_back(finding.volume + ": " + finding.what + " > " + finding.command);
    }
    return words;
  }
  void install() const {
    const auto changes = plan_crypttab(known_, places_);
    ASSERT_TRUE(changes);
    ASSERT_TRUE(make_changes(*changes, places_));
  }

  fs::path folder_;
  CrypttabPlaces places_;
  unlock::SystemVolumes system_ = test::StorageWorld().look();
  std::vector<VolumeOfKind> known_{
      {"luks", {"data", {.device = "/dev/sdb", .options = "discard,keyfile-size=3"}}}};
};

TEST_F(Crypttab, WithoutLinesThereIsNothingToFind) {
  EXPECT_THAT(*check_crypttab(known_, true, system_, places_), IsEmpty());
  EXPECT_THAT(findings("# nothing\nswap /dev/sda /dev/urandom swap\n"), IsEmpty());
}

TEST_F(Crypttab, ASoundLineIsNoFinding) { EXPECT_THAT(findings(asking("luks,_netdev")), IsEmpty()); }

TEST_F(Crypttab, EachThingThatIsMissingIsNamedWithTheCommandThatMendsIt) {
  EXPECT_THAT(findings(asking("luks")), ElementsAre(HasSubstr("_netdev")));
  EXPECT_THAT(findings(asking("luks,_netdev,nofail")), ElementsAre(HasSubstr("a minute and a half")));
  EXPECT_THAT(findings("data /dev/sdb none luks\n"), ElementsAre(HasSubstr("on the console")));
  EXPECT_THAT(findings("data /dev/sdb /root/key luks\n"), ElementsAre(HasSubstr("/root/key")));
  EXPECT_THAT(findings("data /dev/sdb none luks,noauto\n"), IsEmpty());
  fs::remove_all(places_.units);
  EXPECT_THAT(findings(asking("luks,_netdev")),
              ElementsAre(HasSubstr("> systemctl enable remote-cryptsetup.target"),
                          HasSubstr("> systemctl enable zfs-keyvault.service")));
}

TEST_F(Crypttab, ALineOfWhatTheRepositoryLacksIsFoundOnlyWhenAllOfItIsKnown) {
  known_ = {};
  EXPECT_THAT(findings(asking("luks,_netdev")), ElementsAre(HasSubstr("holds no volume of that name")));
  EXPECT_THAT(findings(asking("luks,_netdev"), false), IsEmpty());
}

TEST_F(Crypttab, ALineUnderAnotherNameIsFoundByItsDevice) {
  known_[0].volume.name = "store";
  EXPECT_THAT(findings(asking("luks,_netdev"), false), ElementsAre(HasSubstr("knows it as store")));
}

TEST_F(Crypttab, WhatStandsInThePlaceOfTheSocketIsFound) {
  std::ofstream(places_.socket) << "";
  EXPECT_THAT(findings(""), ElementsAre(HasSubstr("is not a socket")));
}

TEST_F(Crypttab, OfWhatTheSystemLiesOnTheInitramfsAsksAndNotTheSocket) {
  const test::StorageWorld world;
  encrypt_root(world, "data");
  EXPECT_THAT(findings("data /dev/sdb none luks,initramfs\n"), IsEmpty());
  EXPECT_THAT(findings("data /dev/sdb none luks\n"), SizeIs(1));
  system_ = world.look();
  EXPECT_THAT(findings("data /dev/sdb none luks\n"), IsEmpty());
  EXPECT_THAT(findings(asking("luks,_netdev,nofail")), ElementsAre(HasSubstr("the next boot cannot")));
}

TEST_F(Crypttab, InstallingWritesALineThatIsSoundAndTheEndOfTheTimeLimit) {
  write("# mine\nswap /dev/sda /dev/urandom swap");
  install();
  EXPECT_EQ(content(places_.crypttab), "# mine\nswap /dev/sda /dev/urandom swap\ndata /dev/sdb " +
                                           places_.socket.string() + " luks,discard,_netdev,nofail\n");
  EXPECT_THAT(content(places_.units / "dev-mapper-data.device.d" / "zkv.conf"),
              HasSubstr("JobTimeoutSec=infinity"));
  EXPECT_EQ(content(folder_ / "crypttab.zkv-old"), "# mine\nswap /dev/sda /dev/urandom swap");
  EXPECT_THAT(*check_crypttab(known_, true, system_, places_), IsEmpty());
  EXPECT_THAT(*plan_crypttab(known_, places_), IsEmpty()) << "a second time changes nothing";
}

TEST_F(Crypttab, ALineThatIsThereKeepsItsDeviceAndItsOptions) {
  write("data UUID=1-2 none tries=1,luks # old\n");
  install();
  EXPECT_EQ(content(places_.crypttab),
            "data UUID=1-2 " + places_.socket.string() + " tries=1,luks,discard,_netdev,nofail\n");
}

TEST_F(Crypttab, NamesAreEscapedAsSystemdDoes) {
  known_[0].volume.name = "a-b+c";
  install();
  EXPECT_TRUE(fs::exists(places_.units / "dev-mapper-a\\x2db\\x2bc.device.d" / "zkv.conf"));
}

TEST_F(Crypttab, WhatCrypttabCannotSayIsRefused) {
  known_[0].volume.settings.options = "volume-key";
  EXPECT_EQ(plan_crypttab(known_, places_).error().kind(), ErrorKind::kUnsupported);
  known_[0] = {"fvault2", {"data", {.device = "/dev/sdb"}}};
  EXPECT_EQ(plan_crypttab(known_, places_).error().kind(), ErrorKind::kUnsupported);
}

TEST_F(Crypttab, RemovingTakesTheLineAndTheFileBesideAndNothingElse) {
  write("# mine\nother /dev/sdc none luks\n");
  install();
  const auto changes = plan_crypttab_removal({"data"}, places_);
  ASSERT_TRUE(changes);
  ASSERT_TRUE(make_changes(*changes, places_));
  EXPECT_EQ(content(places_.crypttab), "# mine\nother /dev/sdc none luks\n");
  EXPECT_FALSE(fs::exists(places_.units / "dev-mapper-data.device.d"));
  EXPECT_EQ(plan_crypttab_removal({"other"}, places_).error().kind(), ErrorKind::kNotFound);
}

}  // namespace
}  // namespace zkv::host
