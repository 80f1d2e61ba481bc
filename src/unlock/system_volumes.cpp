// From a path to its mount, from that to its device or dataset, and down from there. Source: proc(5), the
// kernel's Documentation/ABI/testing/sysfs-block, zpool-list(8).
#include "unlock/system_volumes.h"

#include <sstream>
#include <system_error>
#include <utility>

#include "unlock/block_devices.h"
#include "unlock/crypt_kind.h"
#include "unlock/layers.h"
#include "unlock/order.h"
#include "unlock/sysfs.h"
#include "unlock/system_tool.h"
#include "unlock/zfs_properties.h"

namespace zkv::unlock {

namespace fs = std::filesystem;

namespace {

/// The mount that `path` is reached by: the innermost, and of several at one place the last.
const Mounted* mount_of_path(const std::string& path, const std::vector<Mounted>& mounts) {
  const Mounted* found = nullptr;
  for (const auto& mount : mounts) {
    if (!lies_within(path, mount.mountpoint)) continue;
    if (found == nullptr || mount.mountpoint.size() >= found->mountpoint.size()) found = &mount;
  }
  return found;
}

}  // namespace

Result<std::vector<std::string>> paths_of_pool(const std::string& pool, const StoragePlaces& places) {
  ZKV_TRY(const auto listed,
          run_tool(places.pool_program, {"list", "-v", "-H", "-L", "-P", pool}, 0, places.limit));
  std::vector<std::string> paths;
  std::istringstream words(listed);
  for (std::string word; words >> word;) {
    if (word.starts_with('/')) paths.push_back(word);
  }
  return paths;
}

std::vector<std::string> mappings_under_pool(const std::string& pool, const StoragePlaces& places) {
  const auto paths = paths_of_pool(pool, places);
  if (!paths) return {};
  std::set<std::string> names;
  for (const auto& path : *paths) {
    for (auto& name : mappings_under(path, places.devices, places.blocks)) names.insert(std::move(name));
  }
  return {names.begin(), names.end()};
}

Result<SystemVolumes> SystemVolumes::look(const std::vector<fs::path>& files, const StoragePlaces& places) {
  ZKV_TRY(const auto text, read_system_table(places.mount_table));
  const auto mounts = parse_mounted(text);
  SystemVolumes found(places);
  for (const auto* place : {"/", "/usr"}) ZKV_CHECK(found.add_file(place, mounts));
  for (const auto& file : files) ZKV_CHECK(found.add_file(file, mounts));
  return found;
}

bool SystemVolumes::hold(std::string_view kind, const VolumeRef& volume) const {
  if (kind == "zfs") return datasets_.contains(volume.name);
  if (crypt_kind_named(kind) == nullptr) return false;
  if (mappings_.contains(volume.name)) return true;
  if (volume.settings.device.empty()) return false;
  const auto device = find_device(volume.settings.device, places_.devices);
  return device && nodes_.contains(device->filename());
}

Result<> SystemVolumes::add_file(const fs::path& file, const std::vector<Mounted>& mounts) {
  const auto* mount = mount_of_path(real_path(file.string()), mounts);
  if (mount == nullptr) return {};
  if (mount->type == "zfs") return add_dataset(mount->source, mounts);
  if (lies_within(mount->source, places_.devices.string())) {
    const auto device = real_path(mount->source);
    std::error_code failed;
    if (fs::exists(places_.blocks / fs::path(device).filename(), failed)) {
      return add_filesystem(fs::path(device).filename(), mounts);
    }
  }
  std::error_code failed;
  const auto node = fs::canonical(places_.numbers / mount->number, failed);
  return failed ? Result<>() : add_filesystem(node.filename(), mounts);
}

Result<> SystemVolumes::add_filesystem(const std::string& node, const std::vector<Mounted>& mounts) {
  for (const auto& other : devices_of_btrfs(places_.btrfs, node)) ZKV_CHECK(add_node(other, mounts));
  return add_node(node, mounts);
}

Result<> SystemVolumes::add_dataset(std::string name, const std::vector<Mounted>& mounts) {
  const std::string pool(pool_of(name));
  const bool is_known = datasets_.contains(pool);
  for (; name != pool; name.erase(name.rfind('/'))) datasets_.insert(name);
  datasets_.insert(pool);
  if (is_known) return {};
  ZKV_TRY(const auto paths, paths_of_pool(pool, places_));
  for (const auto& path : paths) {
    if (lies_within(path, places_.devices.string())) {
      ZKV_CHECK(add_node(fs::path(path).filename(), mounts));
    } else {
      ZKV_CHECK(add_file(path, mounts));
    }
  }
  return {};
}

Result<> SystemVolumes::add_node(const std::string& node, const std::vector<Mounted>& mounts) {
  if (!nodes_.insert(node).second) return {};
  const auto folder = places_.blocks / node;
  if (auto name = first_line(folder / "dm" / "name"); !name.empty()) mappings_.insert(std::move(name));
  if (const auto file = first_line(folder / "loop" / "backing_file"); !file.empty())
    ZKV_CHECK(add_file(file, mounts));
  std::error_code failed;
  if (fs::exists(folder / "partition", failed)) {
    const auto whole = fs::canonical(folder, failed).parent_path().filename();
    if (!failed) ZKV_CHECK(add_node(whole, mounts));
  }
  for (const auto& below : names_in(folder / "slaves")) ZKV_CHECK(add_node(below, mounts));
  return {};
}

}  // namespace zkv::unlock
