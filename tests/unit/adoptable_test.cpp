// What a machine has that the repository does not hold: from what unlockers see, and from crypttab.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "base/encoding.h"
#include "fake_zfs.h"
#include "host/adoptable.h"
#include "unlock/crypttab.h"
#include "unlock/registry.h"
#include "unlock_world.h"

namespace zkv::host {
namespace {

namespace fs = std::filesystem;
using test::kHexA;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using unlock::parse_crypttab;

TEST(CrypttabLines, LinesAreReadAsSystemdReadsThem) {
  const auto lines = parse_crypttab(
      "# a comment\n"
      "data\tUUID=12  none  luks,discard,,nofail\n"
      "\n"
      "  disk /dev/vdb /etc/keys/disk\n"
      "short\n"
      "ask /dev/vdc -\n");
  ASSERT_THAT(lines, SizeIs(3));
  EXPECT_EQ(lines[0].name, "data");
  EXPECT_EQ(lines[0].key_file, "");
  EXPECT_THAT(lines[0].options, ElementsAre("luks", "discard", "nofail"));
  EXPECT_EQ(lines[1].key_file, "/etc/keys/disk");
  EXPECT_THAT(lines[1].options, IsEmpty());
  EXPECT_EQ(lines[2].key_file, "");
}

TEST(CrypttabLines, WhatGetsANewKeyAtEachBootIsTold) {
  EXPECT_TRUE(is_for_one_boot(parse_crypttab("swap /dev/vdb /dev/urandom swap").front()));
  EXPECT_TRUE(is_for_one_boot(parse_crypttab("t /dev/vdb /etc/key tmp=ext4").front()));
  EXPECT_FALSE(is_for_one_boot(parse_crypttab("d /dev/vdb /etc/key luks").front()));
}

/// A machine with LUKS headers in files that stand for block devices, and ZFS.
class Adoptables : public testing::Test {
 protected:
  Adoptables() {
    fs::create_directories(places_.blocks);
    fs::create_directories(places_.devices / "disk" / "by-uuid");
    zfs_.add("tank");
  }

  void add_luks(const std::string& name, const std::string& uuid) {
    std::string head(512, '\0');
    head.replace(0, 6, "LUKS\xba\xbe");
    head.replace(168, uuid.size(), uuid);
    std::ofstream(places_.devices / name) << head;
    fs::create_directory(places_.blocks / name);
    fs::create_symlink("../../" + name, places_.devices / "disk" / "by-uuid" / uuid);
  }
  void write_crypttab(const std::string& text) const { std::ofstream(places_.crypttab) << text; }

  [[nodiscard]] AdoptableVolumes find(const repository::VolumeKeys& known = {}) const {
    const auto unlockers = unlock::all_unlockers(
        {.zfs = zfs_.options(),
         .crypt = {.devices = places_.devices, .blocks = places_.blocks, .mount_table = "/dev/null"}});
    auto found = find_adoptable(unlockers, known, places_);
    EXPECT_TRUE(found) << found.error().message();
    return std::move(found).value_or(AdoptableVolumes{});
  }

  test::FakeZfs zfs_;
  test::TemporaryDirectory directory_;
  AdoptablePlaces places_{directory_ / "crypttab", directory_ / "dev", directory_ / "blocks"};
};

TEST_F(Adoptables, AFilesystemComesWithTheKeyFileThatZfsReads) {
  zfs_.add_root("tank/a", kHexA, {{"keylocation", "file:///root/a.key"}});
  zfs_.add_root("tank/b", kHexA);
  zfs_.add_child("tank/b/child", "tank/b");
  const auto found = find();
  ASSERT_THAT(found.volumes, SizeIs(2));
  EXPECT_EQ(found.volumes[0].name, "tank/a");
  EXPECT_EQ(found.volumes[0].key_file, "/root/a.key");
  EXPECT_EQ(found.volumes[1].name, "tank/b");
  EXPECT_EQ(found.volumes[1].key_file, "");
}

TEST_F(Adoptables, AnImageFileThatCrypttabNamesIsFoundByThat) {
  const auto image = (directory_ / "disks.img").string();
  std::ofstream(image) << "no header is looked for";
  write_crypttab("lvm1 " + image + " /etc/keys/lvm1 luks,discard\nold /not/there none luks\n");
  const auto found = find();
  ASSERT_THAT(found.volumes, SizeIs(1));
  EXPECT_EQ(found.volumes[0].name, "lvm1");
  EXPECT_EQ(found.volumes[0].settings.device, image);
  EXPECT_EQ(found.volumes[0].settings.options, "luks,discard");
  EXPECT_EQ(found.volumes[0].key_file, "/etc/keys/lvm1");
}

TEST_F(Adoptables, ALuksDeviceIsNamedByCrypttabElseByItsUuid) {
  add_luks("vdb", "9d9a1f4c-2f7e");
  add_luks("vdc", "11111111-2222");
  write_crypttab("data UUID=9d9a1f4c-2f7e /root/data.key luks,discard,nofail,_netdev\n");
  const auto found = find();
  ASSERT_THAT(found.volumes, SizeIs(2));
  EXPECT_EQ(found.volumes[0].name, "data");
  EXPECT_EQ(found.volumes[0].settings.device, "UUID=9d9a1f4c-2f7e");
  EXPECT_EQ(found.volumes[0].settings.options, "luks,discard");
  EXPECT_EQ(found.volumes[0].key_file, "/root/data.key");
  EXPECT_TRUE(found.volumes[0].is_in_crypttab);
  EXPECT_EQ(found.volumes[1].name, "luks-11111111");
  EXPECT_FALSE(found.volumes[1].is_in_crypttab);
}

TEST_F(Adoptables, WhatNothingOnTheDeviceTellsIsFoundByItsLineInCrypttab) {
  for (const auto* device : {"vdb", "vdc", "vdd", "vde", "vdf", "vdg"})
    std::ofstream(places_.devices / device) << "noise";
  const auto line = [&](const std::string& name, const std::string& device, const std::string& options) {
    return name + " " + (places_.devices / device).string() + " none " + options + "\n";
  };
  write_crypttab(line("bare", "vdb", "plain,cipher=aes-xts-plain64,size=256,hash=plain,nofail,timeout=5") +
                 line("vera", "vdc", "tcrypt-veracrypt,noauto") + line("win", "vdd", "bitlk") +
                 line("apart", "vde", "luks,header=/etc/apart.header,discard,_netdev") +
                 line("vague", "vdf", "plain,nofail") + line("unsaid", "vdg", "nofail") +
                 line("gone", "vdz", "bitlk"));
  const auto found = find();
  std::vector<std::string> seen;
  for (const auto& volume : found.volumes) {
    EXPECT_TRUE(volume.is_in_crypttab);
    seen.push_back(volume.name + " " + std::to_string(volume.kind) + " " + volume.settings.options);
  }
  const auto unlockers = unlock::all_unlockers({});
  const auto of = [&](const std::string& name) {
    const auto kind =
        std::find_if(unlockers.begin(), unlockers.end(), [&](const auto& u) { return u->name() == name; });
    return std::to_string(kind - unlockers.begin());
  };
  EXPECT_THAT(seen, ElementsAre("bare " + of("plain") + " plain,cipher=aes-xts-plain64,size=256,hash=plain",
                                "vera " + of("tcrypt") + " tcrypt-veracrypt", "win " + of("bitlk") + " bitlk",
                                "apart " + of("luks") + " luks,header=/etc/apart.header,discard"));
  ASSERT_THAT(found.unseen, SizeIs(1));
  EXPECT_THAT(found.unseen[0].message(),
              testing::HasSubstr("vague in crypttab: a plain volume has no header"));
  repository::VolumeKeys known;
  ASSERT_TRUE(known.add("other-name", repository::VolumeKind::kPlain, bytes_of("key")));
  ASSERT_TRUE(known.set_settings("other-name", {.device = places_.devices / "vdb"}));
  EXPECT_THAT(find(known).volumes, SizeIs(3));
}

TEST_F(Adoptables, WhatIsHeldUnderWhateverNameOrLivesForOneBootIsLeftOut) {
  add_luks("vdb", "9d9a1f4c-2f7e");
  add_luks("vdc", "11111111-2222");
  add_luks("loop0", "33333333-4444");
  zfs_.add_root("tank/a", kHexA);
  write_crypttab("swap UUID=11111111-2222 /dev/urandom swap\n");
  repository::VolumeKeys known;
  ASSERT_TRUE(known.add("tank/a", repository::VolumeKind::kZfs, bytes_of("key")));
  ASSERT_TRUE(known.add("other-name", repository::VolumeKind::kLuks, bytes_of("key")));
  ASSERT_TRUE(known.set_settings("other-name", {.device = places_.devices / "vdb"}));
  EXPECT_THAT(find(known).volumes, IsEmpty());
}

TEST_F(Adoptables, AKindThatCannotBeLookedForIsToldAndStopsNoOther) {
  add_luks("vdb", "9d9a1f4c-2f7e");
  zfs_.put("answer", "nonsense\n");
  const auto found = find();
  EXPECT_THAT(found.volumes, SizeIs(1));
  EXPECT_THAT(found.unseen, SizeIs(1));
}

}  // namespace
}  // namespace zkv::host
