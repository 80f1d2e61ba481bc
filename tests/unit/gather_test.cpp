// What the doctor reads off files: of units, settings, leftovers, initramfses and disks.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "doctor/gather.h"
#include "doctor/leftovers.h"
#include "doctor/tables.h"
#include "recovery/split.h"
#include "test_certificate.h"

namespace zkv::doctor {
namespace {

using testing::ElementsAre;

TEST(Gather, FindsAnOldInitramfsByItself) {
  const test::TemporaryDirectory root;
  const auto put = [&](const std::string& path, std::chrono::hours age) {
    std::filesystem::create_directories((root / path).parent_path());
    std::ofstream(root / path) << "";
    std::filesystem::last_write_time(root / path, std::filesystem::file_time_type::clock::now() - age);
  };
  put("var/lib/zkv/repository", std::chrono::hours(1));
  put("boot/initrd.img-6.1", std::chrono::hours(2));
  put("boot/vmlinuz-6.1", std::chrono::hours(2));
  const auto look = [&] {
    return look_for_old_initramfses(System(root / ""), "/var/lib/zkv/repository").size();
  };
  EXPECT_EQ(look(), 0U) << "nothing of zkv is in it";
  put("usr/share/initramfs-tools/hooks/zkv", std::chrono::hours(3));
  EXPECT_EQ(look(), 1U);
  put("boot/initrd.img-6.1", std::chrono::hours(0));
  EXPECT_EQ(look(), 0U);
}

TEST(Gather, DisksWithOneUuidAreTwinsUnlessTheyArePartOfSomething) {
  const test::TemporaryDirectory root;
  const auto put = [&](const std::string& path, std::string_view text) {
    std::filesystem::create_directories((root / path).parent_path());
    std::ofstream(root / path, std::ios::binary) << text;
  };
  const auto head_of = [](const std::string& uuid) {
    std::string head(4096, '\0');
    head.replace(0, 6, "LUKS\xba\xbe");
    head.replace(168, uuid.size(), uuid);
    return head;
  };
  const auto twins = [&] {
    std::vector<std::string> words;
    for (const auto& [uuid, all] : find_luks_twins(System(root / ""))) {
      words.push_back(uuid + ":");
      for (const auto& twin : all) words.back() += " " + twin.path + (twin.is_open ? " (open)" : "");
    }
    return words;
  };
  const auto disk = [&](const std::string& name, const std::string& uuid, const std::string& holder) {
    put("dev/" + name, head_of(uuid));
    std::filesystem::create_directories(root / ("sys/class/block/" + name + "/holders/" + holder));
  };
  put("sys/class/block/dm-0/dm/uuid", "CRYPT-LUKS2-one");
  put("sys/class/block/dm-1/dm/uuid", "mpath-one");
  const auto whole_disk = [&](const std::string& name, const std::string& partition, const std::string& wwid,
                              const std::string& holder) {
    const auto folder = "sys/devices/" + name;
    put(folder + "/" + partition + "/partition", "1");
    put(folder + "/device/wwid", wwid);
    std::filesystem::create_directories(root / (folder + "/holders/" + holder));
    std::filesystem::create_symlink("../../devices/" + name + "/" + partition,
                                    root / ("sys/class/block/" + partition));
  };
  disk("sda", "one", "dm-0");
  disk("sdb", "one", "");
  disk("sdc", "two", "dm-1");
  disk("sdd", "two", "dm-1");
  disk("dm-1", "two", "");
  disk("sde", "three", "");
  for (const auto* partition : {"sdf1", "sdg1", "sdh1", "sdi1"}) {
    put(std::string("dev/") + partition, head_of("four"));
  }
  whole_disk("sdf", "sdf1", "naa.1", "");
  whole_disk("sdg", "sdg1", "naa.1", "");
  whole_disk("sdh", "sdh1", "naa.2", "dm-1");
  EXPECT_THAT(twins(), ElementsAre("one: /dev/sda (open) /dev/sdb"));
  whole_disk("sdi", "sdi1", "naa.3", "");
  EXPECT_THAT(twins(), ElementsAre("four: /dev/sdf1 /dev/sdi1", "one: /dev/sda (open) /dev/sdb"));
}

TEST(Leftover, IsToldByItsFormAlone) {
  const auto in = [](const std::string& text) { return leftover_in(SecretBytes::copy_of(text)); };
  EXPECT_EQ(in("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"), Leftover::Kind::kKey);
  EXPECT_EQ(in("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA+=\n"), std::nullopt);
  EXPECT_EQ(in("key: AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"), std::nullopt);
  EXPECT_EQ(in(""), std::nullopt);
  EXPECT_EQ(in("\x89ZKV\r\n\x1a\n and more"), Leftover::Kind::kRepository);
  EXPECT_EQ(in("1 one line of ordinary words that is long enough to be one of a kit, but is none of it at "
               "all, whatever it says\n"),
            std::nullopt);
}

TEST(Leftover, IsAWholeKitOnlyWithAsManyPartsAsOpen) {
  const SecretBytes key(32);
  const auto parts = recovery::split(key, {.threshold = 2, .parts = 3}).value();
  const auto in = [&](std::initializer_list<std::size_t> which) {
    SecretBuilder text;
    for (const auto part : which) {
      text.append(recovery::write_part(parts[part]).span());
      text.append("\n");
    }
    return leftover_in(text.take());
  };
  EXPECT_EQ(in({0}), Leftover::Kind::kSomeParts);
  EXPECT_EQ(in({1, 1}), Leftover::Kind::kSomeParts);
  EXPECT_EQ(in({2, 0}), Leftover::Kind::kWords);
  const auto whole = recovery::split(key, {}).value();
  EXPECT_EQ(leftover_in(recovery::write_part(whole.front())), Leftover::Kind::kWords);
}

TEST(UnitText, IsReadAsSystemdReadsIt) {
  Unit made;
  read_unit_text(
      "# After=x\n[Unit]\nAfter=a \\\n  b\nAfter = "
      "c\nAfter=\nDocumentation=x\nDocumentation=\nDocumentation=y\n",
      made);
  EXPECT_THAT(made.words("After"), ElementsAre("a", "b", "c"));
  EXPECT_THAT(made.words("Documentation"), ElementsAre("y"));
  EXPECT_EQ(made.last("Nothing"), "");
}

TEST(EnvironmentFile, IsReadAsSystemdReadsIt) {
  const auto settings = parse_environment_file(
      "#GATEWAY_URI=x\n GATEWAY_URI = \"https://a https://b\"\nZKV_TIMEOUT='7'\nnoise\n");
  EXPECT_EQ(settings.at("GATEWAY_URI"), "https://a https://b");
  EXPECT_EQ(settings.at("ZKV_TIMEOUT"), "7");
  EXPECT_EQ(settings.size(), 2U);
}

}  // namespace
}  // namespace zkv::doctor
