// systemctl(1) for units, the tables themselves for mounts.
#include "host/dependents.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <sstream>

#include "unlock/child_process.h"
#include "unlock/crypttab.h"
#include "unlock/layers.h"
#include "unlock/mount_table.h"
#include "unlock/option_words.h"
#include "unlock/system_tool.h"
#include "unlock/zfs.h"
#include "unlock/zfs_properties.h"

namespace zkv::host {

namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kSystemctlLimit{30};
constexpr std::string_view kService = "zfs-keyvault.service";
constexpr std::string_view kTarget = "zfs-keyvault.target";
constexpr std::string_view kMapper = "/dev/mapper/";

using Properties = std::map<std::string, std::string>;
/// Whether the system lies on a volume of the record.
using Held = std::function<bool(const std::string& volume)>;

/// Of one unit after the other, as `systemctl show` prints them. Errors: kNotFound, kIo with its complaint.
Result<std::vector<Properties>> show_units(const std::string& systemctl,
                                           const std::vector<std::string>& properties,
                                           const std::vector<std::string>& units) {
  ZKV_TRY(auto program, unlock::find_program(systemctl));
  unlock::Command command{std::move(program), {"show"}, {}, kSystemctlLimit};
  for (const auto& property : properties) command.arguments.push_back("--property=" + property);
  command.arguments.emplace_back("--");
  command.arguments.insert(command.arguments.end(), units.begin(), units.end());
  ZKV_TRY(const auto finished, unlock::run(command));
  if (finished.exit_code != 0) {
    return Error::io("systemctl: " + finished.errors.substr(0, finished.errors.find('\n')));
  }
  std::vector<Properties> all(1);
  std::istringstream lines(finished.output);
  for (std::string line; std::getline(lines, line);) {
    const auto equals = line.find('=');
    if (line.empty()) all.emplace_back();
    if (equals != std::string::npos) all.back()[line.substr(0, equals)] = line.substr(equals + 1);
  }
  return all;
}

void check_service(const Properties& service, Drift& drift) {
  const auto value = [&](const char* name) {
    const auto found = service.find(name);
    return found == service.end() ? std::string() : found->second;
  };
  const std::string name(kService);
  if (value("LoadState") == "masked") {
    drift.findings.push_back({name, "it is masked: nothing asks at boot", "systemctl unmask " + name});
  } else if (value("LoadState") != "loaded") {
    drift.findings.push_back(
        {name, "systemd does not know it (" + value("LoadState") + ")", "systemctl status " + name});
  } else if (value("UnitFileState") != "enabled") {
    drift.findings.push_back({name, "it is not enabled: nothing asks at boot", "systemctl enable " + name});
  }
}

std::vector<std::string> words_in(const Properties& properties) {
  std::set<std::string> words;
  for (const auto& [name, value] : properties) {
    std::istringstream stream(value);
    for (std::string word; stream >> word;) words.insert(word);
  }
  return {words.begin(), words.end()};
}

Result<> check_units(const std::string& systemctl, Drift& drift) {
  ZKV_TRY(const auto service, show_units(systemctl, {"LoadState", "UnitFileState"}, {std::string(kService)}));
  check_service(service.front(), drift);
  ZKV_TRY(const auto target,
          show_units(systemctl, {"RequiredBy", "RequisiteOf", "BoundBy"}, {std::string(kTarget)}));
  const auto names = words_in(target.front());
  if (names.empty()) return {};
  ZKV_TRY(const auto units, show_units(systemctl, {"Id", "LoadState"}, names));
  for (const auto& unit : units) {
    const auto id = unit.find("Id");
    const auto state = unit.find("LoadState");
    if (id == unit.end() || state == unit.end() || state->second == "loaded") continue;
    drift.findings.push_back({id->second, "it waits for the volumes, and cannot start: " + state->second,
                              "systemctl status " + id->second});
  }
  return {};
}

/// The mappings that what a line of fstab names lies on, as far as they are open.
std::vector<std::string> mappings_of(const std::string& source, const unlock::StoragePlaces& storage) {
  auto under = unlock::mappings_under(source, storage.devices, storage.blocks);
  if (under.empty() && source.starts_with(kMapper)) under = {source.substr(kMapper.size())};
  return under;
}

/// Of those mappings the first that zkv opens, later than a boot needs it; empty where there is none.
std::string opened_later(const std::vector<std::string>& mappings, const DriftRecord& record,
                         const Held& is_held) {
  const auto found = std::find_if(mappings.begin(), mappings.end(), [&](const std::string& name) {
    return record.volumes.contains(name) && !is_held(name);
  });
  return found == mappings.end() ? std::string() : *found;
}

/// A device that systemd waits for before local-fs.target, which the asking comes after: a cycle that ends
/// in the emergency shell.
void check_fstab(const DriftRecord& record, const Held& is_held, const SystemPlaces& places, Drift& drift) {
  const auto text = unlock::read_system_table(places.fstab);
  if (!text) return;
  for (const auto& line : unlock::parse_fstab(*text)) {
    const bool waits =
        !unlock::has_option_word(line.options, "nofail") && !unlock::has_option_word(line.options, "noauto");
    if (!waits) continue;
    const auto ours = opened_later(mappings_of(line.source, places.storage), record, is_held);
    if (ours.empty()) continue;
    drift.findings.push_back({line.mountpoint,
                              "its line in " + places.fstab.string() + " makes the boot wait for " +
                                  line.source +
                                  (line.source == std::string(kMapper) + ours ? "" : ", on " + ours) +
                                  ", which is opened only later",
                              "add nofail to that line"});
  }
}

/// A line that is opened when it can be: after the network, with a key that there is.
void check_line_of_ours(const unlock::CrypttabLine& line, bool is_known, const fs::path& path, Drift& drift) {
  if (!unlock::has_option(line, "_netdev")) {
    drift.findings.push_back(
        {line.name,
         "its line in " + path.string() +
             " wants its key from zkv before the network is up: the boot waits for it, and "
             "nobody is asked",
         "add _netdev to its line"});
  }
  if (is_known) return;
  drift.findings.push_back(
      {line.name,
       "its line in " + path.string() +
           " wants a key from zkv, and the repository holds no volume of that name",
       "take the line out, or: zkv volume add --device " + line.device + " " + line.name});
}

void check_crypttab(const DriftRecord& record, const Held& is_held, const fs::path& path, Drift& drift) {
  const auto text = unlock::read_system_table(path);
  if (!text) return;
  for (const auto& line : unlock::parse_crypttab(*text)) {
    const bool is_known = record.volumes.contains(line.name);
    const bool is_early = unlock::is_of_initramfs(line) || (is_known && is_held(line.name));
    if (unlock::has_option(line, "noauto") || is_early) continue;
    if (unlock::asks_us(line)) {
      check_line_of_ours(line, is_known || record.volumes.empty(), path, drift);
      continue;
    }
    if (!is_known) continue;
    drift.findings.push_back({line.name,
                              "it stands in " + path.string() + " too: the boot asks for it as well",
                              "add noauto to its line"});
  }
}

Finding pool_too_early(const std::string& volume, const std::string& pool, const std::string& below) {
  return {volume, "its pool lies on " + below + ", which is opened only later: no boot imports it",
          "let the pool come with it: zkv volume add --force --keep-key --options import " + volume +
              "; then zpool set cachefile=none " + pool};
}

/// A pool that the boot cannot import, since what it lies on is still closed then.
void check_pools(const DriftRecord& record, const Held& is_held, const SystemPlaces& places, Drift& drift) {
  std::map<std::string, std::string> below;  // pool to what it lies on
  for (const auto& [name, volume] : record.volumes) {
    if (volume.kind != "zfs" || unlock::brings_its_pool(volume.settings)) continue;
    const std::string pool(unlock::pool_of(name));
    if (!below.contains(pool)) {
      below[pool] = opened_later(unlock::mappings_under_pool(pool, places.storage), record, is_held);
    }
    if (!below[pool].empty()) drift.findings.push_back(pool_too_early(name, pool, below[pool]));
  }
}

void check_places(const DriftRecord& record, const Unlockers& unlockers, Drift& drift) {
  for (const auto& unlocker : unlockers) {
    const auto refs = refs_of_kind(record.volumes, unlocker->name());
    if (refs.empty()) continue;
    const auto surveys = unlocker->survey(refs);
    if (!surveys) continue;
    for (const auto& survey : *surveys) {
      for (const auto& place : survey.places) {
        std::error_code failed;
        const auto kind = fs::status(place, failed).type();
        if (kind == fs::file_type::not_found || kind == fs::file_type::directory) continue;
        const bool is_of_secret = unlocker->kind() == repository::VolumeKind::kSecret;
        if (is_of_secret) continue;
        drift.findings.push_back(
            {survey.volume, "its mount point " + place + " is no directory", "ls -ld " + place});
      }
    }
  }
}

}  // namespace

Drift check_dependents(const DriftRecord& record, const Unlockers& unlockers, const SystemPlaces& places) {
  Drift drift;
  if (const auto units = check_units(places.systemctl, drift); !units) {
    drift.notes.push_back("units were not looked at: " + units.error().message());
  }
  const auto system = unlock::SystemVolumes::look({}, places.storage);
  if (!system) drift.notes.push_back("what the system lies on is not known: " + system.error().message());
  const Held is_held = [&](const std::string& name) {
    const auto& volume = record.volumes.at(name);
    return system && system->hold(volume.kind, {name, volume.settings});
  };
  check_fstab(record, is_held, places, drift);
  check_crypttab(record, is_held, places.crypttab, drift);
  check_pools(record, is_held, places, drift);
  check_places(record, unlockers, drift);
  return drift;
}

}  // namespace zkv::host
