// Lines of crypttab and fstab that ask, wait or fail before anybody can have approved; and what could not be
// mounted when somebody had.
#include <algorithm>

#include "doctor/looks.h"
#include "unlock/order.h"
#include "unlock/zvol_use.h"

namespace zkv::doctor {

namespace {

constexpr std::string_view kCrypttab = "/etc/crypttab";
constexpr std::string_view kFstab = "/etc/fstab";
constexpr std::string_view kMapper = "/dev/mapper/";
/// The options by which a line comes and goes with the volumes.
constexpr const char* kWithTheTarget =
    "noauto,nofail,x-systemd.requires=zfs-keyvault.target,x-systemd.wanted-by=zfs-keyvault.target";

bool has_option(const std::vector<std::string>& options, std::string_view wanted) {
  return std::ranges::count(options, wanted) > 0;
}

/// The repository's volume that a line of crypttab opens too.
const VolumeFacts* volume_of(const Facts& facts, const unlock::CrypttabLine& line) {
  const auto found = std::ranges::find_if(facts.volumes, [&](const VolumeFacts& volume) {
    return volume.kind != "zfs" &&
           (volume.name == line.name || (!volume.device.empty() && volume.device == line.device));
  });
  return found == facts.volumes.end() ? nullptr : &*found;
}

/// Whether zkv itself hands out the key, by a socket.
bool is_served(const unlock::CrypttabLine& line) { return line.key_file.starts_with("/run/"); }

bool is_opened_by_boot(const unlock::CrypttabLine& line) {
  return !has_option(line.options, "noauto") && !is_for_one_boot(line) && !is_of_initramfs(line);
}

/// The lines that the boot opens, of volumes that zkv opens.
std::vector<unlock::CrypttabLine> lines_of_volumes(const Facts& facts) {
  std::vector<unlock::CrypttabLine> lines;
  for (const auto& line : facts.crypttab) {
    const auto* volume = volume_of(facts, line);
    if (is_opened_by_boot(line) && volume != nullptr && !volume->holds_system) lines.push_back(line);
  }
  return lines;
}

/// Whether zkv mounts by the line whatever lies on a mapping, as soon as that is open.
bool is_mounted_by_us(const FstabEntry& entry, const VolumeFacts& volume) {
  return volume.kind != "zfs" && (entry.source == std::string(kMapper) + volume.name ||
                                  std::ranges::count(entry.lies_on, volume.name) > 0);
}

/// The volume without which a line of fstab cannot be mounted.
const VolumeFacts* volume_under(const Facts& facts, const FstabEntry& entry) {
  for (const auto& volume : facts.volumes) {
    if (volume.holds_system) continue;
    const bool is_zfs =
        entry.type == "zfs" && (entry.source == volume.name || entry.source.starts_with(volume.name + "/"));
    if (is_zfs || is_mounted_by_us(entry, volume) || entry.source == unlock::zvol_link("/dev", volume.name))
      return &volume;
  }
  if (entry.source.starts_with('/') && !entry.source.starts_with("/dev/"))
    return volume_over(facts, entry.source);
  return nullptr;
}

bool is_left_for_later(const FstabEntry& entry) { return has_option(entry.options, "noauto"); }
bool can_be_missing(const FstabEntry& entry) {
  return has_option(entry.options, "nofail") || has_option(entry.options, "_netdev");
}

/// Whether systemd mounts what is at or below `place` first.
bool wants_mount(const FstabEntry& entry, const std::string& place) {
  constexpr std::string_view kWanted = "x-systemd.requires-mounts-for=";
  const bool is_by_option = std::ranges::any_of(entry.options, [&](const std::string& option) {
    return option.starts_with(kWanted) &&
           unlock::lies_within(std::string_view(option).substr(kWanted.size()), place);
  });
  return is_by_option || unlock::lies_within(entry.mountpoint, place) ||
         unlock::lies_within(entry.source, place);
}

/// What is not started by zfs-keyvault.target alone is started with the boot.
bool is_wanted_at_boot(const Unit& unit) {
  return unit.is_there() && std::ranges::any_of(unit.wanted_by, [](const std::string& target) {
           return target != "zfs-keyvault.target";
         });
}

/// What the boot starts and has `entry` mounted for; empty: nothing is known.
std::string puller_of(const Facts& facts, const FstabEntry& entry) {
  for (const auto& other : facts.fstab) {
    const bool is_other = other.mountpoint != entry.mountpoint;
    if (is_other && !is_left_for_later(other) && wants_mount(other, entry.mountpoint))
      return "the mount of " + other.mountpoint;
  }
  for (const auto& [name, unit] : facts.units) {
    if (!is_wanted_at_boot(unit)) continue;
    for (const auto* setting : {"RequiresMountsFor", "WorkingDirectory", "RootDirectory"}) {
      for (const auto& word : unit.words(setting)) {
        if (unlock::lies_within(word, entry.mountpoint)) return name;
      }
    }
  }
  return {};
}

/// A line with noauto comes before local-fs.target all the same, as soon as anything has it mounted: and zkv
/// comes after that. Source: systemd.mount(5), "fstab".
std::optional<Found> found_pulled(const Facts& facts, const FstabEntry& entry, const VolumeFacts& volume) {
  const auto puller = puller_of(facts, entry);
  if (puller.empty()) return std::nullopt;
  return Found{std::string(kFstab),
               puller + " has the boot wait for " + entry.mountpoint + ", that for " + volume.name +
                   ", and nobody is asked before local-fs.target, which waits for both",
               "add nofail beside noauto to the options of the line of " + entry.mountpoint +
                   " in /etc/fstab, then systemctl daemon-reload"};
}

bool waits_for_us(const FstabEntry& entry) {
  return std::ranges::any_of(entry.options, [](const std::string& option) {
    return (option.starts_with("x-systemd.requires=") || option.starts_with("x-systemd.after=")) &&
           option.find("=zfs-keyvault.") != std::string::npos;
  });
}

FoundList as_found(const std::vector<host::Finding>& findings) {
  FoundList found;
  for (const auto& finding : findings) found.push_back({finding.about, finding.what, finding.remedy});
  return found;
}

}  // namespace

FoundList crypttab_asks(const Facts& facts) {
  FoundList found;
  for (const auto& line : lines_of_volumes(facts)) {
    if (!line.key_file.empty()) continue;
    found.push_back({std::string(kCrypttab),
                     "the boot asks at the console for " + line.name + ", which zkv opens",
                     "add noauto to the options of the line of " + line.name +
                         " in /etc/crypttab, then systemctl daemon-reload"});
  }
  return found;
}

FoundList crypttab_key_file(const Facts& facts) {
  FoundList found;
  for (const auto& line : facts.crypttab) {
    const auto* volume = volume_of(facts, line);
    if (volume == nullptr || volume->holds_system || line.key_file.empty() || is_served(line)) continue;
    if (is_for_one_boot(line) || is_of_initramfs(line)) continue;
    const std::string proof = "once a boot has shown that zkv opens it, and zkv volume test " + line.name +
                              " that its key is the repository's: ";
    if (is_opened_by_boot(line)) {
      found.push_back({std::string(kCrypttab),
                       line.key_file + " opens " + line.name + " at boot without anybody's approval",
                       proof + "add noauto to its line, and shred -u " + line.key_file});
    } else if (facts.crypttab_key_files.contains(line.key_file)) {
      found.push_back(
          {std::string(kCrypttab),
           line.key_file + " is still there, and opens " + line.name + " for whoever has this machine's disk",
           proof + "shred -u " + line.key_file});
    }
  }
  return found;
}

FoundList crypttab_netdev(const Facts& facts) {
  FoundList found;
  for (const auto& line : facts.crypttab) {
    const auto* volume = volume_of(facts, line);
    const bool is_of_system = volume != nullptr && volume->holds_system;
    if (!is_served(line) || !is_opened_by_boot(line) || is_of_system) continue;
    if (has_option(line.options, "_netdev")) continue;
    found.push_back({std::string(kCrypttab),
                     line.name + " is opened before the network is up, where zkv can have no key",
                     "add _netdev to the options of the line of " + line.name +
                         ", then systemctl enable remote-cryptsetup.target"});
  }
  return found;
}

FoundList crypttab_unknown(const Facts& facts) {
  FoundList found;
  for (const auto& line : facts.crypttab) {
    const bool is_known = std::ranges::count(facts.volumes, line.name, &VolumeFacts::name) > 0;
    if (facts.volumes.empty() || is_known || !unlock::asks_us(line)) continue;
    found.push_back(
        {std::string(kCrypttab),
         line.name + " is to get its key from zkv, and the repository holds no volume of that name",
         "take its line out, or: zkv volume add --device " + line.device + " " + line.name});
  }
  return found;
}

FoundList fstab_stops_boot(const Facts& facts) {
  FoundList found;
  for (const auto& entry : facts.fstab) {
    const auto* volume = volume_under(facts, entry);
    if (volume == nullptr || can_be_missing(entry)) continue;
    if (is_left_for_later(entry)) {
      if (auto pulled = found_pulled(facts, entry, *volume)) found.push_back(std::move(*pulled));
      continue;
    }
    const bool is_swap = entry.type == "swap";
    const auto as_what =
        is_swap ? " as swap: " : " on " + entry.mountpoint + ", then ends in emergency mode: ";
    const std::string words =
        is_swap ? "nofail"
                : (is_mounted_by_us(entry, *volume) ? "noauto,nofail (zkv mounts it)" : kWithTheTarget);
    const auto options =
        "add " + words + " to the options of the line of " + (is_swap ? entry.source : entry.mountpoint);
    found.push_back({std::string(kFstab),
                     "the boot waits for " + entry.source + as_what + volume->name +
                         " is locked until the network is up and somebody has approved",
                     options + " in /etc/fstab, then systemctl daemon-reload" +
                         (is_swap ? "; once it is open, swapon -a turns it on" : "")});
  }
  return found;
}

FoundList fstab_gives_up(const Facts& facts) {
  FoundList found;
  for (const auto& entry : facts.fstab) {
    const auto* volume = volume_under(facts, entry);
    if (volume == nullptr || is_left_for_later(entry) || !can_be_missing(entry) || entry.type == "swap")
      continue;
    if (is_mounted_by_us(entry, *volume) || waits_for_us(entry)) continue;
    found.push_back(
        {std::string(kFstab),
         entry.mountpoint + " needs " + volume->name +
             ", and its line waits for no approval: systemd mounts what is there before, or gives it up "
             "after a minute and a half, and nothing mounts it later",
         std::string(kWithTheTarget) + " in the options of the line of " + entry.mountpoint +
             " in /etc/fstab, then systemctl daemon-reload"});
  }
  return found;
}

FoundList fstab_type(const Facts& facts) { return as_found(facts.unmountable); }

FoundList last_opening(const Facts& facts) { return as_found(facts.left_over); }

FoundList fstab_too_early(const Facts& facts) {
  FoundList found;
  for (const auto& entry : facts.fstab) {
    if (!waits_for_us(entry) || is_left_for_later(entry) || can_be_missing(entry)) continue;
    found.push_back({std::string(kFstab),
                     entry.mountpoint + " is to be mounted after zfs-keyvault, and before local-fs.target, "
                                        "which comes before the network: systemd drops one of them at random",
                     "add _netdev to the options of the line of " + entry.mountpoint +
                         " in /etc/fstab, then systemctl daemon-reload"});
  }
  return found;
}

}  // namespace zkv::doctor
