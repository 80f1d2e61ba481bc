// A machine's storage for tests: its table of mounts, and sysfs, in a directory.
#pragma once

#include <sys/stat.h>

#include <fstream>
#include <string>
#include <vector>

#include "test_certificate.h"
#include "unlock/system_volumes.h"

namespace zkv::test {

class StorageWorld {
 public:
  StorageWorld() {
    for (const auto* folder : {"blocks", "numbers", "dev"})
      std::filesystem::create_directory(directory_ / folder);
    write("mounts", "");
    pool({});
  }

  /// A block device of the kernel's name `node` that lies on others; with `mapping` it is one of the device
  /// mapper.
  void disk(const std::string& node, const std::vector<std::string>& below = {},
            const std::string& mapping = {}) const {
    const auto folder = directory_ / "blocks" / node;
    std::filesystem::create_directories(folder / "slaves");
    for (const auto& one : below) std::filesystem::create_directory(folder / "slaves" / one);
    std::ofstream(directory_ / "dev" / node) << "";
    if (mapping.empty()) return;
    std::filesystem::create_directory(folder / "dm");
    std::ofstream(folder / "dm" / "name") << mapping << "\n";
    std::filesystem::create_directory(directory_ / "dev" / "mapper");
    std::filesystem::create_symlink("../" + node, directory_ / "dev" / "mapper" / mapping);
  }
  /// A partition within the disk, as sysfs nests and links them.
  void partition(const std::string& node, const std::string& disk) const {
    std::filesystem::create_directories(directory_ / "blocks" / disk / node);
    std::ofstream(directory_ / "blocks" / disk / node / "partition") << "1\n";
    std::filesystem::create_directory_symlink(disk + "/" + node, directory_ / "blocks" / node);
    std::ofstream(directory_ / "dev" / node) << "";
  }
  /// `source` is relative to /dev where it begins with "dev/".
  void mount(const std::string& place, const std::string& type, const std::string& source,
             const std::string& number = "0:99") const {
    const auto from = source.starts_with("dev/") ? (directory_ / source).string() : source;
    std::ofstream(directory_ / "mounts", std::ios::app)
        << "1 0 " << number << " / " << place << " rw - " << type << " " << from << " rw\n";
  }
  /// What zpool(8) says that pools lie on; it fails without any.
  void pool(const std::vector<std::string>& devices) const {
    std::string text =
        devices.empty() ? "#!/bin/sh\nexit 1\n" : "#!/bin/sh\ncat <<'E'\nrpool\t9G\t1G\nmirror-0\t9G\n";
    for (const auto& device : devices) text += "\t" + (directory_ / "dev" / device).string() + "\t9G\n";
    if (!devices.empty()) text += "E\n";
    write("zpool", text);
    ::chmod((directory_ / "zpool").c_str(), 0755);
  }
  void write(const std::string& file, const std::string& text) const {
    std::ofstream(directory_ / file) << text;
  }

  [[nodiscard]] unlock::StoragePlaces places() const {
    unlock::StoragePlaces places{directory_ / "mounts", directory_ / "blocks", directory_ / "numbers",
                                 directory_ / "dev", (directory_ / "zpool").string()};
    places.btrfs = directory_ / "btrfs";
    return places;
  }
  [[nodiscard]] unlock::SystemVolumes look(const std::vector<std::filesystem::path>& files = {}) const {
    return unlock::SystemVolumes::look(files, places()).value();
  }
  [[nodiscard]] std::filesystem::path path(const std::string& name) const { return directory_ / name; }

 private:
  TemporaryDirectory directory_;
};

/// A machine whose root lies on the LUKS mapping `name`, on the disk sda3.
inline void encrypt_root(const StorageWorld& world, const std::string& name) {
  world.disk("sda3");
  world.disk("dm-0", {"sda3"}, name);
  world.mount("/", "ext4", "dev/mapper/" + name);
}

}  // namespace zkv::test
