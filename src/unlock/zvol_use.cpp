// Devices by the links that udev makes for them, mounts by the kernel's table.
#include "unlock/zvol_use.h"

#include <vector>

#include "unlock/mount_table.h"
#include "unlock/system_tool.h"

namespace zkv::unlock {

namespace fs = std::filesystem;

namespace {

std::vector<Mounted> mounted_now(const fs::path& mount_table) {
  const auto text = read_system_table(mount_table);
  return text ? parse_mounted(*text) : std::vector<Mounted>();
}

/// `device` is a path with every link followed, as in "/dev/zd0"; its partitions are "/dev/zd0p1" and so on.
bool is_on(const Mounted& mount, const std::string& device) {
  if (!mount.source.starts_with('/')) return false;
  const auto source = real_path(mount.source);
  return source == device || source.starts_with(device + "p");
}

}  // namespace

std::string use_of_zvols(const Names& zvols, const fs::path& devices, const fs::path& mount_table) {
  if (zvols.empty()) return {};
  const auto mounts = mounted_now(mount_table);
  std::string where;
  std::string names;
  for (const auto& name : zvols) {
    names += (names.empty() ? "" : ", ") + name;
    const auto device = real_path((devices / "zvol" / name).string());
    for (const auto& mount : mounts) {
      if (!is_on(mount, device)) continue;
      where += (where.empty() ? "" : "; ") + name + " is mounted at " + mount.mountpoint;
    }
  }
  if (!where.empty()) return where;
  return "something may use " + names + " (a mapping, swap, a virtual machine)";
}

}  // namespace zkv::unlock
