// Disks that carry one LUKS UUID, and are not one disk seen twice.
#include <algorithm>
#include <set>

#include "doctor/gather_parts.h"
#include "unlock/block_devices.h"

namespace zkv::doctor {

namespace fs = std::filesystem;

namespace {

struct Disk {
  fs::path whole;         ///< the folder of /sys of the disk that it lies on, or is
  std::string partition;  ///< the number, where it is one
  bool is_open = false;   ///< its own mapping is made of it
  bool is_part = false;   ///< something else is, or of the disk that it lies on
};

std::vector<std::string> holders_of(const System& system, const fs::path& folder) {
  return system.names_in(folder / "holders");
}

Disk disk_of(const System& system, const std::string& name) {
  const fs::path folder = "/sys/class/block/" + name;
  Disk disk{folder, {}};
  for (const auto& holder : holders_of(system, folder)) {
    const bool is_own = is_mapping_of_crypt(system, "/sys/class/block/" + holder);
    (is_own ? disk.is_open : disk.is_part) = true;
  }
  if (auto number = system.read(folder / "partition")) {
    disk.partition = std::move(*number);
    disk.whole = folder / "..";
    disk.is_part = disk.is_part || !holders_of(system, disk.whole).empty();
  }
  return disk;
}

/// The same for each path to one disk; empty where the disk has no such name.
std::string identity_of(const System& system, const Disk& disk) {
  for (const auto* name : {"device/wwid", "wwid"}) {
    const auto identity = system.read(disk.whole / name);
    if (identity && !identity->empty()) return *identity + ":" + disk.partition;
  }
  return {};
}

}  // namespace

bool is_mapping_of_crypt(const System& system, const std::string& folder) {
  const auto kind = system.read(folder + "/dm/uuid");
  return kind && kind->starts_with("CRYPT-");
}

LuksTwins find_luks_twins(const System& system) {
  LuksTwins twins;
  std::set<std::string> seen;
  const auto all = unlock::find_luks_devices(system.place_of("/sys/class/block"), system.place_of("/dev"));
  for (const auto& device : all) {
    const auto name = device.path.filename().string();
    const auto disk = disk_of(system, name);
    const auto identity = identity_of(system, disk);
    const bool is_seen = !identity.empty() && !seen.insert(identity).second;
    if (is_seen || disk.is_part) continue;
    twins[device.uuid].push_back({"/dev/" + name, disk.is_open});
  }
  std::erase_if(twins, [](const auto& twin) { return twin.second.size() < 2; });
  return twins;
}

}  // namespace zkv::doctor
