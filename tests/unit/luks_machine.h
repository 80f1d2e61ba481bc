// A machine with volumes of LUKS for tests: sysfs and device files in a directory.
#pragma once

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "test_certificate.h"
#include "unlock/crypt.h"

namespace zkv::test {

inline void put(const std::filesystem::path& path, std::string_view text) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

/// A machine with a disk vdb under the LUKS mapping "data", vdc with LUKS that is closed, and a plain dm
/// device.
class LuksMachine : public testing::Test {
 protected:
  LuksMachine() {
    for (const auto* node : {"vdb", "vdc", "vdd"}) std::filesystem::create_directories(sys() / node);
    mapping("dm-0", "data", "CRYPT-LUKS2-1234-data", "253:0", "vdb");
    mapping("dm-1", "vg-root", "LVM-5678", "253:1", "vdd");
    std::string header("LUKS\xba\xbe\0\2", 8);
    header.resize(168, '\0');
    put(dev() / "vdc", header + "9d9a1f4c-2f7e-4c37-9a0e-7f1f7b1a0c55" + std::string(4096, '\0'));
    put(dev() / "vdb", std::string(4096, '\0'));
    put(dev() / "vdd", "short");
    put(directory_ / "mountinfo", "30 1 253:0 / /srv rw - ext4 /dev/mapper/data rw\n");
  }

  void mapping(const std::string& node, const std::string& name, const std::string& uuid,
               const std::string& number, const std::string& below) const {
    put(sys() / node / "dm/name", name + "\n");
    put(sys() / node / "dm/uuid", uuid + "\n");
    put(sys() / node / "dev", number + "\n");
    std::filesystem::create_directories(sys() / node / "slaves" / below);
    std::filesystem::create_directories(sys() / node / "holders");
  }

  [[nodiscard]] std::filesystem::path sys() const { return directory_ / "sys"; }
  [[nodiscard]] std::filesystem::path dev() const { return directory_ / "dev"; }
  [[nodiscard]] std::string device(const std::string& name) const {
    return std::filesystem::canonical(dev() / name);
  }

  [[nodiscard]] unlock::CryptOptions options() const {
    unlock::CryptOptions options;
    options.devices = dev();
    options.blocks = sys();
    options.mount_table = directory_ / "mountinfo";
    options.fstab = directory_ / "fstab";
    options.device_wait = device_wait_;
    options.on_wait = [this](const std::vector<unlock::VolumeRef>& volumes, std::chrono::milliseconds most) {
      EXPECT_EQ(most, device_wait_);
      for (const auto& volume : volumes) waits_told_.push_back(volume.name);
    };
    return options;
  }
  [[nodiscard]] std::unique_ptr<unlock::Unlocker> unlocker() const {
    return unlock::make_luks_unlocker(options());
  }

  [[nodiscard]] unlock::Outcome open_one(const std::string& name, const repository::VolumeSettings& settings,
                                         const std::stop_token& stop = {}) const {
    const auto key = bytes_of("key");
    const unlock::Unlocker::Volume volume{name, repository::VolumeKind::kLuks, key, {}, settings};
    return unlocker()->open(std::span(&volume, 1), unlock::Attempt::kOpen, stop).front();
  }

  /// In the place of the system's own: keeps what it was told.
  void program(const std::string& name, const std::string& what) const {
    const auto path = directory_ / name;
    put(path,
        "#!/bin/sh\necho " + name + " \"$@\" >>" + (directory_ / "calls").string() + "\n" + what + "\n");
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  }

  /// Without those that only look at what is on a device.
  [[nodiscard]] std::string calls() const {
    std::ifstream file(directory_ / "calls");
    std::string calls;
    for (std::string line; std::getline(file, line);) {
      if (!line.starts_with("blkid ")) calls += line + "\n";
    }
    return calls;
  }

  /// With such programs in the place of the system's.
  [[nodiscard]] unlock::CryptOptions played() const {
    auto options = this->options();
    for (auto* name : {&options.mount, &options.blkid, &options.pvs, &options.vgchange, &options.lvchange,
                       &options.mdadm}) {
      *name = (directory_ / *name).string();
    }
    options.unmount = [this](const std::string& place, unlock::Unmounting how) {
      const auto* words = how == unlock::Unmounting::kAtOnce ? "umount at once " : "umount ";
      std::ofstream(directory_ / "calls", std::ios::app) << words << place << "\n";
      return Result<>();
    };
    options.manager = directory_ / "no-manager";
    options.swaps = directory_ / "swaps";
    options.btrfs = directory_ / "btrfs";
    return options;
  }

  TemporaryDirectory directory_;
  std::chrono::milliseconds device_wait_{0};
  mutable std::vector<std::string> waits_told_;  ///< names of volumes
};

}  // namespace zkv::test
