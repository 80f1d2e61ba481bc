// Units of others that need what is on a volume.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "doctor/looks.h"
#include "unlock/secret.h"

namespace zkv::doctor {

namespace {

constexpr std::string_view kTarget = "zfs-keyvault.target";
constexpr std::array<std::string_view, 2> kOurs{"zfs-keyvault.service", "zfs-keyvault.target"};

bool is_after_us(const Unit& unit) { return unit.names("After", kOurs[0]) || unit.names("After", kOurs[1]); }

bool is_bound(const Unit& unit) {
  for (const std::string_view setting : {"Requires", "BindsTo", "Requisite"}) {
    if (unit.names(setting, kOurs[0]) || unit.names(setting, kOurs[1])) return true;
  }
  return false;
}

bool is_wanted_by_us(const Unit& unit) {
  for (const auto& by : unit.wanted_by) {
    if (by == kTarget) return true;
  }
  return unit.names("Wants", kTarget);
}

/// Beside the two, those that come and go with them.
constexpr std::array<std::string_view, 4> kOurHelpers{"zkv-cryptsetup.socket", "zkv-credentials.socket",
                                                      "zkv-check.service", "zkv-check.timer"};

bool is_ours(std::string_view name) {
  return name == kOurs[0] || name == kOurs[1] ||
         std::find(kOurHelpers.begin(), kOurHelpers.end(), name) != kOurHelpers.end();
}

std::string drop_in(const std::string& name) {
  return "systemctl edit " + name + ": [Unit] Requires=zfs-keyvault.target After=zfs-keyvault.target";
}

/// A target waits for all that it wants, but for what says that it has no default dependencies.
std::string target_that_waits(const Unit& unit) {
  constexpr std::array<std::string_view, 2> kUsual{"multi-user.target", "graphical.target"};
  constexpr std::array<std::string_view, 5> kNo{"no", "false", "off", "n", "0"};
  if (std::ranges::count(kNo, unit.last("DefaultDependencies")) != 0) return {};
  const auto by = std::ranges::find_first_of(unit.wanted_by, kUsual);
  return by == unit.wanted_by.end() ? std::string() : *by;
}

/// The first path that the unit says it needs and that lies on a volume.
std::string path_on_volume(const Facts& facts, const Unit& unit) {
  for (const std::string_view setting : {"RequiresMountsFor", "WorkingDirectory", "RootDirectory"}) {
    for (const auto& path : unit.words(setting)) {
      if (volume_over(facts, path) != nullptr) return path;
    }
  }
  for (const auto& name : unit.words("StateDirectory")) {
    std::string path = "/var/lib/" + name.substr(0, name.find(':'));
    if (volume_over(facts, path) != nullptr) return path;
  }
  return {};
}

/// The secrets that the unit takes from zkv. Source: systemd.exec(5), LoadCredential=ID:PATH.
std::vector<std::string> secrets_of(const Unit& unit) {
  std::vector<std::string> secrets;
  for (const auto& word : unit.words("LoadCredential")) {
    const auto colon = word.find(':');
    if (colon == std::string::npos || word.substr(colon + 1) != unlock::kCredentialsSocket) continue;
    secrets.push_back(word.substr(0, colon));
  }
  return secrets;
}

bool is_served(const Facts& facts, const std::string& secret) {
  const auto volume = std::ranges::find(facts.volumes, secret, &VolumeFacts::name);
  return volume != facts.volumes.end() && volume->kind == "secret" && volume->place.empty();
}

}  // namespace

FoundList dependent_unordered(const Facts& facts) {
  FoundList found;
  for (const auto& [name, unit] : facts.units) {
    if (is_ours(name) || !unit.is_there() || is_after_us(unit)) continue;
    if (!is_bound(unit) && !is_wanted_by_us(unit)) continue;
    found.push_back(
        {name, name + " hangs on the volumes, but is not ordered after them: it starts while they are locked",
         drop_in(name)});
  }
  return found;
}

FoundList dependent_unbound(const Facts& facts) {
  FoundList found;
  for (const auto& [name, unit] : facts.units) {
    if (is_ours(name) || name.ends_with(".mount") || !unit.is_enabled()) continue;
    if (is_bound(unit) || is_wanted_by_us(unit)) continue;
    const auto path = path_on_volume(facts, unit);
    if (path.empty()) continue;
    found.push_back({name,
                     fmt::format("{} uses {}, which lies on {}, and starts whether that is open or not", name,
                                 path, volume_over(facts, path)->name),
                     drop_in(name)});
  }
  return found;
}

FoundList dependent_holds_boot(const Facts& facts) {
  FoundList found;
  for (const auto& [name, unit] : facts.units) {
    if (is_ours(name) || !unit.is_there() || !is_after_us(unit)) continue;
    const auto target = target_that_waits(unit);
    if (target.empty()) continue;
    found.push_back(
        {name, fmt::format("{} is wanted by {}, which waits for it, and so for the approval", name, target),
         fmt::format("systemctl disable {0} && systemctl add-wants zfs-keyvault.target {0}", name)});
  }
  return found;
}

FoundList dependent_lacks_secret(const Facts& facts) {
  if (facts.volumes.empty()) return {};  // what the repository holds is not known here
  FoundList found;
  for (const auto& [name, unit] : facts.units) {
    if (!unit.is_enabled()) continue;
    for (const auto& secret : secrets_of(unit)) {
      if (is_served(facts, secret)) continue;
      found.push_back(
          {name,
           fmt::format(
               "{} takes the secret '{}' from zkv, and the repository has none for units by that name", name,
               secret),
           fmt::format("zkv volume add --kind secret --volume-key-file FILE --units {} {}; or take its "
                       "LoadCredential= out: systemctl edit {}",
                       name, secret, name)});
    }
  }
  return found;
}

}  // namespace zkv::doctor
