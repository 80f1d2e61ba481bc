// Devices by the links that udev makes for them, mounts by the kernel's table.
#include "unlock/zvol_use.h"

#include <algorithm>
#include <utility>

#include "unlock/busy.h"
#include "unlock/order.h"
#include "unlock/system_tool.h"

namespace zkv::unlock {

namespace fs = std::filesystem;

namespace {

/// `device` is as in "/dev/zd0"; its partitions are "/dev/zd0p1" and so on.
bool is_on(const Mounted& mount, const std::string& device) {
  return mount.source == device || mount.source.starts_with(device + "p");
}

}  // namespace

fs::path zvol_link(const fs::path& devices, std::string name) {
  std::ranges::replace(name, ' ', '+');
  return devices / "zvol" / name;
}

/// Sources elsewhere are paths of other filesystems, and to look at one may take for ever.
ZvolUse::ZvolUse(fs::path devices, const fs::path& mount_table) : devices_(std::move(devices)) {
  const auto text = read_system_table(mount_table);
  if (!text) return;
  mounts_ = parse_mounted(*text);
  std::erase_if(mounts_,
                [this](const Mounted& mount) { return !lies_within(mount.source, devices_.string()); });
  for (auto& mount : mounts_) mount.source = real_path(mount.source);
}

std::string ZvolUse::of(const Names& zvols) const {
  if (zvols.empty()) return {};
  std::vector<std::string> places;
  for (const auto& name : zvols) {
    const auto device = real_path(zvol_link(devices_, name).string());
    for (const auto& mount : mounts_) {
      if (is_on(mount, device)) places.push_back(name + " is mounted at " + mount.mountpoint);
    }
  }
  if (!places.empty()) return first_few(places);
  return "something may use " + first_few({zvols.begin(), zvols.end()}) +
         " (a mapping, swap, a virtual machine)";
}

}  // namespace zkv::unlock
