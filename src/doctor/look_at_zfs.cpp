// What ZFS's own units do at boot beside zkv.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "doctor/looks.h"
#include "unlock/zfs.h"
#include "unlock/zfs_properties.h"

namespace zkv::doctor {

namespace {

bool opens_zfs(const Facts& facts) {
  return std::ranges::any_of(facts.volumes, [](const VolumeFacts& volume) { return volume.kind == "zfs"; });
}

bool is_volume(const Facts& facts, const std::string& name) {
  return std::ranges::count(facts.volumes, name, &VolumeFacts::name) > 0;
}

std::string cache_of(const std::string& filesystem) {
  return "/etc/zfs/zfs-list.cache/" + filesystem.substr(0, filesystem.find('/'));
}

Found found_key_file(const std::string& volume, const std::string& path) {
  return {path, path + " opens " + volume + " at boot without anybody's approval",
          "once a boot has shown that zkv opens it: zkv volume test " + volume +
              " && zfs set keylocation=prompt " + volume + " && shred -u " + path};
}

/// Pools of volumes, by whether zkv imports them and whether the cache of pools holds them; none where there
/// is no such cache.
std::set<std::string> pools_where(const Facts& facts, bool is_brought, bool is_listed) {
  std::set<std::string> pools;
  if (!facts.pool_cache) return pools;
  for (const auto& volume : facts.volumes) {
    if (volume.kind != "zfs" || unlock::brings_its_pool({.options = volume.options}) != is_brought) continue;
    const std::string pool(unlock::pool_of(volume.name));
    if ((facts.pool_cache->find(pool) != std::string::npos) == is_listed) pools.insert(pool);
  }
  return pools;
}

/// What zfs-mount-generator has to do with one encryption root.
struct Generated {
  std::vector<std::string> mounted;  ///< by units of its own, which start the key's
  bool is_root_ignored = false;
  std::string key_location;
};

/// By encryption root, of those that are volumes.
std::map<std::string, Generated> generated_for(const Facts& facts) {
  std::map<std::string, Generated> roots;
  for (const auto& one : facts.zfs_cache) {
    if (!is_volume(facts, one.encryption_root)) continue;
    auto& root = roots[one.encryption_root];
    if (one.name == one.encryption_root) {
      root.is_root_ignored = one.is_ignored;
      root.key_location = one.key_location;
    }
    const bool is_mounted = one.canmount == "on" && one.mountpoint.starts_with('/');
    if (is_mounted && !one.is_ignored) root.mounted.push_back(one.name);
  }
  return roots;
}

/// The root passes the property on to what lies below it, but not to clones elsewhere.
std::string to_be_ignored(const std::string& name, const Generated& root) {
  std::string names = root.is_root_ignored ? std::string() : name;
  for (const auto& one : root.mounted) {
    const bool has_it_by_the_root = !root.is_root_ignored && (one == name || one.starts_with(name + "/"));
    if (!has_it_by_the_root) names += (names.empty() ? "" : " ") + one;
  }
  return names;
}

/// Whether a unit runs zfs(8) in a way that loads keys, and asks for those that no file holds.
bool loads_keys(const Unit& unit) {
  for (const auto* setting : {"ExecStartPre", "ExecStart", "ExecStartPost"}) {
    const auto commands = unit.settings.find(setting);
    if (commands == unit.settings.end()) continue;
    for (const auto& command : commands->second) {
      const auto program = command.find("zfs ");
      if (program == std::string::npos) continue;
      const std::string_view words = std::string_view(command).substr(program);
      for (const auto* loading : {"load-key", "mount -l", "mount -al", "mount -la", "mount -a -l"}) {
        if (words.find(loading) != std::string_view::npos) return true;
      }
    }
  }
  return false;
}

bool has_key_to_ask_for(const Facts& facts) {
  return std::ranges::any_of(facts.volumes, [](const VolumeFacts& volume) {
    return volume.kind == "zfs" && volume.key_file.empty();
  });
}

}  // namespace

FoundList zfs_asks(const Facts& facts) {
  FoundList found;
  for (const auto& [name, unit] : facts.units) {
    if (!unit.is_enabled() || !loads_keys(unit) || !has_key_to_ask_for(facts)) continue;
    found.push_back(
        {name,
         "it loads keys of ZFS at boot, which zkv does now, and asks for them at the console: what "
         "it comes before waits for that, the network and zkv perhaps among it",
         "systemctl disable " + name});
  }
  for (const auto& [name, root] : generated_for(facts)) {
    if (root.mounted.empty() || root.key_location.starts_with("file://")) continue;
    const auto what =
        root.is_root_ignored
            ? "zfs-mount-generator makes units that want the key of " + name +
                  " from systemd, which has none: it may unmount what zkv mounts"
            : "zfs-mount-generator makes a unit that asks at the console for " + name + ", which zkv opens";
    found.push_back({cache_of(name), what,
                     "zfs set org.openzfs.systemd:ignore=on " + to_be_ignored(name, root) +
                         " && systemctl daemon-reload"});
  }
  return found;
}

FoundList zfs_key_file(const Facts& facts) {
  constexpr std::string_view kFile = "file://";
  std::map<std::string, std::string> key_files;
  for (const auto& one : facts.zfs_cache) {
    if (!one.key_location.starts_with(kFile) || !is_volume(facts, one.encryption_root)) continue;
    key_files[one.encryption_root] = one.key_location.substr(kFile.size());
  }
  for (const auto& volume : facts.volumes) {
    if (volume.kind == "zfs" && !volume.key_file.empty()) key_files[volume.name] = volume.key_file;
  }
  FoundList found;
  for (const auto& [name, path] : key_files) found.push_back(found_key_file(name, path));
  return found;
}

FoundList zfs_import_off(const Facts& facts) {
  if (!opens_zfs(facts) || !facts.has_zfs) return {};
  const bool by_cache =
      unit_of(facts, "zfs-import-cache.service").is_enabled() && facts.pool_cache.has_value();
  const bool by_scan =
      unit_of(facts, "zfs-import-scan.service").is_enabled() && !facts.pool_cache.has_value();
  if (by_cache || by_scan) return {};
  const std::string unit = facts.pool_cache ? "zfs-import-cache.service" : "zfs-import-scan.service";
  return {{unit, "no pool is imported at boot: " + unit + ", which would, is not enabled",
           "systemctl enable " + unit + " zfs-import.target zfs.target"}};
}

FoundList zfs_pool_unlisted(const Facts& facts) {
  FoundList found;
  for (const auto& pool : pools_where(facts, false, false)) {
    found.push_back(
        {"/etc/zfs/zpool.cache",
         "the pool " + pool + " is not in the list of pools that are imported at boot",
         fmt::format("zpool set cachefile=/etc/zfs/zpool.cache {0}; if it has another name now: zkv "
                     "volume rename {0} NEW",
                     pool)});
  }
  return found;
}

FoundList zfs_pool_early(const Facts& facts) {
  FoundList found;
  for (const auto& pool : pools_where(facts, true, true)) {
    found.push_back(
        {"/etc/zfs/zpool.cache",
         "the pool " + pool +
             " is in the list of pools that are imported at boot, and lies on what is opened later",
         "zpool set cachefile=none " + pool});
  }
  return found;
}

FoundList zfs_mount_off(const Facts& facts) {
  const auto& unit = unit_of(facts, "zfs-mount.service");
  if (!opens_zfs(facts) || unit.file.empty() || unit.is_enabled() || !facts.zfs_cache.empty()) return {};
  return {{"zfs-mount.service",
           "it is masked or not enabled: filesystems without encryption, which others may lie on, are not "
           "mounted at boot",
           "systemctl unmask zfs-mount.service && systemctl enable zfs-mount.service"}};
}

}  // namespace zkv::doctor
