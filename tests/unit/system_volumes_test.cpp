// Which volumes hold the running system, on machines that are made up of a table of mounts and a sysfs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage_world.h"

namespace zkv::unlock {
namespace {

using test::encrypt_root;
using test::StorageWorld;
using testing::HasSubstr;

TEST(SystemVolume, OneThatTheRootLiesOnIsAndAnotherIsNot) {
  const StorageWorld world;
  encrypt_root(world, "sda3_crypt");
  world.disk("sdb");
  world.disk("dm-1", {"sdb"}, "data");
  world.mount("/srv", "ext4", "dev/mapper/data");
  const auto system = world.look();
  EXPECT_TRUE(system.hold("luks", {"sda3_crypt", {}}));
  EXPECT_FALSE(system.hold("luks", {"data", {}}));
  EXPECT_FALSE(system.hold("zfs", {"sda3_crypt", {}})) << "another kind of thing has that name";
  EXPECT_FALSE(system.hold("secret", {"sda3_crypt", {}}));
}

TEST(SystemVolume, ItIsKnownByItsDeviceUnderAnyName) {
  const StorageWorld world;
  encrypt_root(world, "sda3_crypt");
  const auto device = world.path("dev/sda3").string();
  EXPECT_TRUE(world.look().hold("luks", {"root", {.device = device}}));
  world.disk("sdb");
  EXPECT_FALSE(world.look().hold("luks", {"root", {.device = world.path("dev/sdb").string()}}));
  EXPECT_FALSE(world.look().hold("luks", {"root", {.device = "UUID=none-such"}}));
}

TEST(SystemVolume, BelowVolumeGroupsArraysAndPartitions) {
  const StorageWorld world;
  world.disk("sda");
  world.partition("sda3", "sda");
  world.disk("sdb3");
  world.disk("dm-0", {"sda3"}, "one");
  world.disk("dm-1", {"sdb3"}, "two");
  world.disk("md0", {"dm-0", "dm-1"});
  world.disk("dm-2", {"md0"}, "vg-root");
  world.mount("/", "ext4", "dev/mapper/vg-root");
  const auto system = world.look();
  for (const std::string name : {"one", "two"}) EXPECT_TRUE(system.hold("luks", {name, {}})) << name;
  EXPECT_TRUE(system.hold("plain", {"whole", {.device = world.path("dev/sda").string()}}));
}

TEST(SystemVolume, ABtrfsLiesOnEachOfItsDevices) {
  const StorageWorld world;
  encrypt_root(world, "one");
  world.disk("sdb3");
  world.disk("dm-1", {"sdb3"}, "two");
  world.disk("dm-2", {"sdb3"}, "other");
  for (const auto* node : {"dm-0", "dm-1"}) {
    std::filesystem::create_directories(world.path("btrfs/1-2/devices") / node);
  }
  const auto system = world.look();
  EXPECT_TRUE(system.hold("luks", {"one", {}}));
  EXPECT_TRUE(system.hold("luks", {"two", {}}));
  EXPECT_FALSE(system.hold("luks", {"other", {}}));
}

TEST(SystemVolume, OfSeveralMountsAtOnePlaceTheLastCounts) {
  const StorageWorld world;
  world.mount("/", "rootfs", "none");
  encrypt_root(world, "root");
  world.disk("dm-5", {}, "usr");
  world.mount("/usr", "ext4", "dev/mapper/usr");
  const auto system = world.look();
  EXPECT_TRUE(system.hold("luks", {"root", {}}));
  EXPECT_TRUE(system.hold("luks", {"usr", {}}));
}

TEST(SystemVolume, ADeviceThatIsMountedUnderANameThatIsNotThereIsFoundByItsNumber) {
  const StorageWorld world;
  world.disk("sda3");
  world.disk("dm-0", {"sda3"}, "root");
  std::filesystem::create_directory_symlink(world.path("blocks/dm-0"), world.path("numbers/253:0"));
  world.mount("/", "ext4", "dev/root", "253:0");
  EXPECT_TRUE(world.look().hold("luks", {"root", {}}));
}

TEST(SystemVolume, WhatTheRepositoryLiesOnCountsToo) {
  const StorageWorld world;
  world.disk("sda1");
  world.mount("/", "ext4", "dev/sda1");
  world.disk("dm-0", {}, "var");
  const auto place = world.path("var");
  std::filesystem::create_directory(place);
  world.write("var/repository", "");
  world.mount(std::filesystem::canonical(place), "ext4", "dev/mapper/var");
  EXPECT_FALSE(world.look().hold("luks", {"var", {}}));
  EXPECT_TRUE(world.look({place / "repository"}).hold("luks", {"var", {}}));
}

TEST(SystemVolume, AFilesystemOfZfsAndAllThatItLiesIn) {
  const StorageWorld world;
  world.disk("sda3");
  world.pool({"sda3"});
  world.mount("/", "zfs", "rpool/ROOT/debian");
  const auto system = world.look();
  for (const std::string name : {"rpool", "rpool/ROOT", "rpool/ROOT/debian"}) {
    EXPECT_TRUE(system.hold("zfs", {name, {}})) << name;
  }
  EXPECT_FALSE(system.hold("zfs", {"rpool/home", {}}));
  EXPECT_FALSE(system.hold("zfs", {"rpool/ROOT/debian/below", {}}));
}

TEST(SystemVolume, WhatItsPoolLiesOn) {
  const StorageWorld world;
  world.disk("sda3");
  world.disk("dm-0", {"sda3"}, "under");
  world.pool({"dm-0"});
  world.mount("/", "zfs", "rpool/ROOT/debian");
  EXPECT_TRUE(world.look().hold("luks", {"under", {}}));
}

TEST(SystemVolume, WhatAFileLiesOnThatIsALoopDevice) {
  const StorageWorld world;
  encrypt_root(world, "root");
  world.disk("loop0");
  std::filesystem::create_directory(world.path("blocks/loop0/loop"));
  world.write("blocks/loop0/loop/backing_file", "/var/image\n");
  world.mount("/usr", "ext4", "dev/loop0");
  EXPECT_TRUE(world.look().hold("luks", {"root", {}}));
}

TEST(SystemVolume, WhatCannotBeSeenIsAnError) {
  const StorageWorld world;
  world.mount("/", "zfs", "rpool/ROOT/debian");
  EXPECT_FALSE(SystemVolumes::look({}, world.places())) << "zpool fails";
  std::filesystem::remove(world.path("mounts"));
  EXPECT_FALSE(SystemVolumes::look({}, world.places()));
}

}  // namespace
}  // namespace zkv::unlock
