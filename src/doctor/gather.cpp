// From the unit to the files, in the order of the facts.
#include "doctor/gather.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "doctor/gather_parts.h"
#include "doctor/tables.h"
#include "unlock/layers.h"

namespace zkv::doctor {

namespace fs = std::filesystem;

namespace {

std::string text_of(const System& system, const fs::path& path, Facts& facts) {
  auto text = system.read(path);
  if (text) return std::move(*text);
  if (text.error().kind() != ErrorKind::kNotFound) facts.unseen.push_back(text.error().message());
  return {};
}

constexpr std::array kSettingsFiles{"/etc/sysconfig/zfs-keyvault", "/etc/default/zfs-keyvault"};

void gather_service(const System& system, Facts& facts) {
  facts.units = read_units(system);
  for (const char* path : kSettingsFiles) {
    for (auto& [name, value] : parse_environment_file(text_of(system, path, facts))) {
      facts.service_settings[name] = value;
    }
  }
  if (system.is_running()) facts.kernel_command_line = text_of(system, "/proc/cmdline", facts);
}

void gather_tables(const System& system, Facts& facts) {
  facts.crypttab = unlock::parse_crypttab(text_of(system, "/etc/crypttab", facts));
  for (const auto& line : facts.crypttab) {
    if (line.key_file.starts_with('/') && system.has(line.key_file))
      facts.crypttab_key_files.insert(line.key_file);
  }
  facts.fstab = parse_whole_fstab(text_of(system, "/etc/fstab", facts));
  if (system.is_running()) {
    for (auto& entry : facts.fstab) {
      entry.lies_on =
          unlock::mappings_under(entry.source, system.place_of("/dev"), system.place_of("/sys/class/block"));
    }
  }
  const fs::path folder = "/etc/zfs/zfs-list.cache";
  for (const auto& pool : system.names_in(folder)) {
    std::ranges::move(parse_zfs_list_cache(text_of(system, folder / pool, facts)),
                      std::back_inserter(facts.zfs_cache));
  }
  facts.has_zfs = unit_of(facts, "zfs.target").is_there();
  if (auto cache = system.read("/etc/zfs/zpool.cache")) facts.pool_cache = std::move(*cache);
}

/// Whether a block device of /sys is a dm-crypt mapping, lies on one, or is memory.
bool is_encrypted_device(const System& system, const std::string& folder) {
  if (is_mapping_of_crypt(system, folder)) return true;
  if (system.place_of(folder).filename().string().starts_with("zram")) return true;
  const auto below = system.names_in(folder + "/slaves");
  return !below.empty() && std::ranges::all_of(below, [&](const std::string& name) {
    return is_encrypted_device(system, "/sys/class/block/" + name);
  });
}

/// A device, or a file on one.
bool is_encrypted_swap(const System& system, const std::string& path) {
  struct stat about {};
  if (::stat(path.c_str(), &about) != 0) return true;
  const dev_t device = S_ISBLK(about.st_mode) ? about.st_rdev : about.st_dev;
  return is_encrypted_device(
      system, "/sys/dev/block/" + std::to_string(major(device)) + ":" + std::to_string(minor(device)));
}

void gather_machine(const GatherOrder& order, Facts& facts) {
  facts.now = zkv::now();
  facts.user = ::geteuid();
  if (!order.system.is_running()) return;
  facts.has_clock = !order.system.names_in("/sys/class/rtc").empty();
  facts.has_tpm = !order.tpm.starts_with('/') || order.system.has(order.tpm);
  facts.luks_twins = find_luks_twins(order.system);
  for (const auto& path : parse_swaps(text_of(order.system, "/proc/swaps", facts))) {
    facts.swaps.push_back({path, is_encrypted_swap(order.system, path)});
  }
}

}  // namespace

fs::path repository_of_service(const System& system) {
  fs::path named;
  for (const char* path : kSettingsFiles) {
    const auto settings = parse_environment_file(system.read(path).value_or(""));
    if (const auto found = settings.find("ZKV_REPOSITORY"); found != settings.end()) named = found->second;
  }
  return named;
}

Facts gather(const GatherOrder& order, const host::Unlockers& unlockers, const std::stop_token& stop) {
  Facts facts;
  gather_machine(order, facts);
  gather_service(order.system, facts);
  gather_tables(order.system, facts);
  gather_repository(order, facts);
  gather_volumes(order, unlockers, facts);
  gather_files(order, facts);
  gather_early(order, facts);
  gather_leftovers(order.system, facts);
  gather_gateways(order, facts, stop);
  if (!order.system.is_running()) {
    facts.unseen.emplace_back(
        "clock, network and gateways: this is the image of a machine that does not run");
  }
  return facts;
}

}  // namespace zkv::doctor
