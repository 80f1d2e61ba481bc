// Devices by the links that udev makes for them, mounts by the kernel's table.
#include "unlock/zvol_use.h"

#include <algorithm>
#include <map>
#include <set>

#include "unlock/busy.h"
#include "unlock/mount_table.h"
#include "unlock/order.h"
#include "unlock/system_tool.h"
#include "unlock/zfs_mount.h"

namespace zkv::unlock {

namespace fs = std::filesystem;

namespace {

/// `device` is as in "/dev/zd0"; its partitions are "/dev/zd0p1" and so on.
bool is_on(const Mounted& mount, const std::string& device) {
  return mount.source == device || mount.source.starts_with(device + "p");
}

class ZvolUse {
 public:
  /// Looks at what is mounted now.
  explicit ZvolUse(const ZfsOptions& options);

  /// Where filesystems on the block devices `zvols`, or on partitions of them, are mounted, in words for a
  /// person; and where none is, that something else may use the devices. Empty when there are no `zvols`.
  [[nodiscard]] std::string of(const Names& zvols) const;

 private:
  fs::path devices_;
  std::vector<Mounted> mounts_;  ///< of block devices, their sources with every link followed
};

/// Sources elsewhere are paths of other filesystems, and to look at one may take for ever.
ZvolUse::ZvolUse(const ZfsOptions& options) : devices_(options.devices) {
  const auto text = read_system_table(options.mount_table);
  if (!text) return;
  mounts_ = parse_mounted(*text);
  std::erase_if(mounts_, [this](const Mounted& mount) {
    return !has_source_of_root(mount) || !lies_within(mount.source, devices_.string());
  });
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

}  // namespace

fs::path zvol_link(const fs::path& devices, std::string name) {
  std::ranges::replace(name, ' ', '+');
  return devices / "zvol" / name;
}

void name_uses(const ZfsProgram& program, const ZfsOptions& options, const std::vector<std::size_t>& busy,
               std::vector<Outcome>& outcomes) {
  if (busy.empty()) return;
  Names roots;
  for (const std::size_t place : busy) roots.insert(outcomes[place].volume);
  const auto pools = pools_of(roots);
  const auto listing = program.list({pools.begin(), pools.end()}, Depth::kAllBelow);
  if (!listing) return;
  std::map<std::string, Names> zvols;
  std::set<std::string> mounted;
  for (const auto& [name, dataset] : listing->datasets) {
    if (dataset.is_mounted) mounted.insert(dataset.encryption_root);
    if (!dataset.is_filesystem) zvols[dataset.encryption_root].insert(name);
  }
  const ZvolUse uses(options);
  for (const std::size_t place : busy) {
    const auto& root = outcomes[place].volume;
    const auto use = mounted.contains(root) ? std::string() : uses.of(zvols[root]);
    if (!use.empty()) outcomes[place].detail += ": " + use;
  }
}

}  // namespace zkv::unlock
