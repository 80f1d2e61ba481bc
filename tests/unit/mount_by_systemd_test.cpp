// What fstab says of an open volume is mounted by systemd's unit, and what a program serves in a unit of its
// own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>

#include "fake_manager.h"
#include "unlock/crypt.h"
#include "unlock/mount_unit.h"

namespace zkv::unlock {
namespace {

namespace fs = std::filesystem;
using test::FakeManager;
using testing::HasSubstr;

/// An open volume that fstab mounts, by a manager.
class MountsBySystemd : public test::ManagedMounts {
 protected:
  MountsBySystemd() {
    write(folder_ / "sys/dm-0/dm/name", "data\n");
    write(folder_ / "sys/dm-0/dm/uuid", "CRYPT-LUKS2-1-data\n");
    write(folder_ / "sys/dm-0/dev", "253:0\n");
    fs::create_directories(folder_ / "sys/dm-0/slaves/vdb");
    fs::create_directories(folder_ / "sys/dm-0/holders");
    write(folder_ / "dev/mapper/data", "");
    write(folder_ / "mountinfo", "");
    write(folder_ / "fstab", (folder_ / "dev/mapper/data").string() + " " + place() + " ext4 nofail 0 2\n");
  }

  static void write(const fs::path& path, const std::string& text) {
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
  }

  [[nodiscard]] std::string place() const { return (folder_ / "place").string(); }
  [[nodiscard]] std::function<void()> mounts(const std::string& number) const {
    return [this, number] {
      write(folder_ / "mountinfo", "30 1 " + number + " / " + place() + " rw - ext4 x rw\n");
    };
  }

  [[nodiscard]] MountOutcome mount(const std::string& mountpoint = {}) const {
    CryptOptions options;
    options.devices = folder_ / "dev";
    options.blocks = folder_ / "sys";
    options.mount_table = folder_ / "mountinfo";
    options.fstab = folder_ / "fstab";
    options.manager = manager().socket;
    options.mount = program_;
    options.unmount = [this](const std::string& unmounted, Unmounting /*how*/) {
      write(folder_ / "unmounted", unmounted);
      return Result<>();
    };
    options.mount_helpers = folder_ / "helpers";
    options.blkid = folder_ / "blkid";
    const auto outcomes = make_luks_unlocker(options)->mount({{"data", {{}, mountpoint, {}}}}, {});
    return outcomes && outcomes->size() == 1 ? outcomes->front() : MountOutcome();
  }

  void write_program(const std::string& name, const std::string& what) const {
    write(folder_ / name, "#!/bin/sh\n" + what + "\n");
    fs::permissions(folder_ / name, fs::perms::owner_all);
  }

  std::string program_ = "/bin/false";  ///< in the place of mount(8)
};

TEST_F(MountsBySystemd, ALineOfFstabIsMountedByItsUnit) {
  auto answers = of_fstab();
  answers.starts = mounts("253:0");
  const FakeManager fake(manager().socket, answers);
  const auto outcome = mount();
  EXPECT_EQ(outcome.happened, MountHappened::kMounted) << outcome.detail;
  EXPECT_EQ(outcome.mountpoint, place());
}

TEST_F(MountsBySystemd, AFilesystemWhoseCheckFailsIsNotMountedBesideIt) {
  auto answers = of_fstab();
  answers.end = "dependency";
  const FakeManager fake(manager().socket, answers);
  const auto outcome = mount();
  EXPECT_EQ(outcome.happened, MountHappened::kFailed);
  EXPECT_THAT(outcome.detail, HasSubstr("the check of the filesystem"));
}

TEST_F(MountsBySystemd, ALineWhoseUnitWaitsForUsIsCheckedAllTheSame) {
  auto answers = of_fstab();
  answers.after.emplace_back("zfs-keyvault.service");
  answers.end = "failed";
  {
    const FakeManager fake(manager().socket, answers);
    const auto outcome = mount();
    EXPECT_EQ(outcome.happened, MountHappened::kFailed);
    EXPECT_THAT(outcome.detail, HasSubstr("damaged"));
    EXPECT_EQ(fake.unit(),
              "systemd-fsck@" + unit_name_of((folder_ / "dev/mapper/data").string()) + ".service");
  }
  fs::remove(manager().socket);
  answers.end = "done";
  program_ = "/bin/true";
  const FakeManager fake(manager().socket, answers);
  EXPECT_EQ(mount().happened, MountHappened::kMounted);
  EXPECT_TRUE(fake.has_started());
}

TEST_F(MountsBySystemd, ALineThatWantsNoCheckGetsNone) {
  write(folder_ / "fstab", (folder_ / "dev/mapper/data").string() + " " + place() + " ext4 nofail 0 0\n");
  auto answers = of_fstab();
  answers.is_outdated = true;
  program_ = "/bin/true";
  const FakeManager fake(manager().socket, answers);
  EXPECT_EQ(mount().happened, MountHappened::kMounted);
  EXPECT_FALSE(fake.has_started());
}

TEST_F(MountsBySystemd, AnotherFilesystemInItsPlaceIsNoSuccess) {
  auto answers = of_fstab();
  answers.starts = mounts("8:1");
  const FakeManager fake(manager().socket, answers);
  const auto outcome = mount();
  EXPECT_EQ(outcome.happened, MountHappened::kFailed);
  EXPECT_THAT(outcome.detail, HasSubstr("something else"));
  EXPECT_THAT(outcome.detail, HasSubstr("name it " + (folder_ / "dev/mapper/data").string()));
  EXPECT_TRUE(fs::exists(folder_ / "unmounted")) << "what we had mounted is taken back";
}

/// An open volume with NTFS and a mount point of its own, and mount(8) that says how it was called.
class MountsOfNtfs : public MountsBySystemd {
 protected:
  MountsOfNtfs() {
    write_program("blkid", "echo ntfs");
    write_program("mount", "echo \"$@\" >" + (folder_ / "called").string() + "; echo refused >&2; exit 32");
    program_ = folder_ / "mount";
  }

  [[nodiscard]] std::string called() const {
    std::ifstream file(folder_ / "called");
    return {std::istreambuf_iterator<char>(file), {}};
  }
  [[nodiscard]] std::string device() const { return (folder_ / "dev/mapper/data").string(); }
};

TEST_F(MountsOfNtfs, AHelperRunsInAUnitOfItsOwn) {
  write_program("helpers/mount.ntfs", "exit 1");
  auto answers = of_fstab();
  answers.starts = mounts("253:0");
  const FakeManager fake(manager().socket, answers);
  EXPECT_EQ(mount(place()).happened, MountHappened::kMounted);
  EXPECT_EQ(fake.unit(), "zkv-mount-" + unit_name_of(place()) + ".service");
  for (const auto& word : {program_, device(), place(), unit_name_of(place()) + ".mount"}) {
    EXPECT_THAT(fake.wishes(), HasSubstr("STRING \"" + word + "\""));
  }
  EXPECT_EQ(called(), "") << "only systemd runs it";
}

TEST_F(MountsOfNtfs, AHelperThatFailsInItsUnitIsToldWithItsCode) {
  write_program("helpers/mount.ntfs", "exit 1");
  auto answers = of_fstab();
  answers.end = "failed";
  answers.exit_code = 15;
  const FakeManager fake(manager().socket, answers);
  const auto outcome = mount(place());
  EXPECT_EQ(outcome.happened, MountHappened::kFailed);
  EXPECT_EQ(outcome.detail, "mount ended with code 15");
}

TEST_F(MountsOfNtfs, WithoutSystemdTheHelperRunsHere) {
  write_program("helpers/mount.ntfs", "exit 1");
  EXPECT_EQ(mount(place()).detail, "refused");
  EXPECT_EQ(called(), "-- " + device() + " " + place() + "\n");
}

TEST_F(MountsOfNtfs, WithoutAHelperTheKernelIsAskedForItsOwn) {
  const FakeManager fake(manager().socket, of_fstab());
  EXPECT_THAT(mount(place()).detail, testing::StartsWith("refused; it is NTFS, which ntfs-3g serves too"));
  EXPECT_EQ(called(), "-t ntfs3 -- " + device() + " " + place() + "\n");
  EXPECT_FALSE(fake.has_started());
}

}  // namespace
}  // namespace zkv::unlock
