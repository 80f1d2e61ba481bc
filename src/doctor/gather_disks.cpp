// Disks that carry one LUKS UUID, and are not one disk seen twice.
#include <algorithm>
#include <set>

#include "doctor/gather_parts.h"
#include "unlock/block_devices.h"

namespace zkv::doctor {

namespace fs = std::filesystem;

namespace {

struct Disk {
  fs::path folder;        ///< of /sys
  std::string partition;  ///< the number, where it is one
  fs::path whole;         ///< the folder of the disk that a partition lies on, else its own
};

Disk disk_of(const System& system, const std::string& name) {
  Disk disk{"/sys/class/block/" + name, {}, {}};
  disk.whole = disk.folder;
  if (auto number = system.read(disk.folder / "partition")) {
    disk.partition = std::move(*number);
    disk.whole = disk.folder / "..";
  }
  return disk;
}

std::vector<std::string> holders_of(const System& system, const fs::path& folder) {
  return system.names_in(folder / "holders");
}

bool is_open(const System& system, const Disk& disk) {
  return std::ranges::any_of(holders_of(system, disk.folder), [&](const std::string& holder) {
    return is_mapping_of_crypt(system, "/sys/class/block/" + holder);
  });
}

/// Whether something else than its own mapping is made of it, or of the disk that it lies on.
bool is_part(const System& system, const Disk& disk) {
  const auto above = holders_of(system, disk.folder);
  const bool is_held = !std::ranges::all_of(above, [&](const std::string& holder) {
    return is_mapping_of_crypt(system, "/sys/class/block/" + holder);
  });
  return is_held || (!disk.partition.empty() && !holders_of(system, disk.whole).empty());
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
    if (is_seen || is_part(system, disk)) continue;
    twins[device.uuid].push_back({"/dev/" + name, is_open(system, disk)});
  }
  std::erase_if(twins, [](const auto& twin) { return twin.second.size() < 2; });
  return twins;
}

}  // namespace zkv::doctor
