// The unit that asks at boot: whether it runs at all, when, and how long it may.
#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <optional>
#include <sstream>

#include "doctor/looks.h"

namespace zkv::doctor {

namespace {

constexpr std::string_view kService = "zfs-keyvault.service";
/// Where the package's own copy of the unit can be found.
constexpr std::array<std::string_view, 2> kPackagesFolders{"/lib/", "/usr/lib/"};
constexpr std::string_view kSettingsFile = "/etc/default/zfs-keyvault";
/// Of the unit's 15 minutes, what the volumes may take; zfs-keyvault.service(8).
constexpr std::uint64_t kLeftForVolumes = 120;
constexpr std::uint64_t kSmallestLocked = std::uint64_t{64} << 20U;
/// What must not wait for the network, which itself comes after them.
constexpr std::array<std::string_view, 6> kBeforeNetwork{"local-fs.target", "local-fs-pre.target",
                                                         "sysinit.target",  "cryptsetup.target",
                                                         "basic.target",    "network-online.target"};

std::string setting_of(const Facts& facts, std::string_view name) {
  const auto found = facts.service_settings.find(name);
  return found == facts.service_settings.end() ? "" : found->second;
}

struct Scale {
  std::string_view unit;
  std::uint64_t factor;
};

/// A number with one of these units after it. Nothing where it is written otherwise.
std::optional<std::uint64_t> scaled(std::string_view text, std::span<const Scale> scales) {
  std::uint64_t number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc()) return std::nullopt;
  const auto unit = text.substr(static_cast<std::size_t>(end - text.data()));
  const auto scale = std::ranges::find(scales, unit, &Scale::unit);
  if (scale == scales.end()) return std::nullopt;
  return number * scale->factor;
}

constexpr std::array kTimes{Scale{"", 1},     Scale{"s", 1},  Scale{"sec", 1},
                            Scale{"min", 60}, Scale{"m", 60}, Scale{"h", 3600}};
constexpr std::array kSizes{Scale{"", 1}, Scale{"K", 1U << 10U}, Scale{"M", 1U << 20U},
                            Scale{"G", 1U << 30U}};

bool does_run_agent(const Unit& unit) {
  const auto found = unit.settings.find("ExecStart");
  return found != unit.settings.end() && std::ranges::any_of(found->second, [](const std::string& line) {
           const auto program = line.find("zkv");
           return program != std::string::npos && line.find(" agent", program) != std::string::npos;
         });
}

}  // namespace

FoundList service_missing(const Facts& facts) {
  if (!unit_of(facts, kService).file.empty()) return {};
  return {
      {std::string(kService), "the unit that asks at boot is not installed", "apt install --reinstall zkv"}};
}

FoundList service_masked(const Facts& facts) {
  const auto& unit = unit_of(facts, kService);
  if (!unit.is_masked) return {};
  return {{unit.file, "zfs-keyvault.service is masked, so that nobody is asked at boot",
           "systemctl unmask zfs-keyvault.service && systemctl enable zfs-keyvault.service"}};
}

/// A person's own copy that runs the agent is theirs to keep. The Python tool's runs `zkv mount`.
FoundList service_replaced(const Facts& facts) {
  const auto& unit = unit_of(facts, kService);
  const bool is_packages = std::ranges::any_of(
      kPackagesFolders, [&](std::string_view folder) { return unit.file.starts_with(folder); });
  if (!unit.is_there() || is_packages || does_run_agent(unit)) return {};
  const std::string before = unit.hides_another ? "" : "apt install --reinstall zkv && ";
  return {{unit.file,
           "zfs-keyvault.service is not the package's: this file is in force, and does not run 'zkv agent'",
           before + "rm " + unit.file +
               " && systemctl daemon-reload && systemctl reenable zfs-keyvault.service"}};
}

FoundList service_disabled(const Facts& facts) {
  const auto& unit = unit_of(facts, kService);
  if (!unit.is_there() || unit.is_enabled()) return {};
  return {
      {unit.file, "nothing starts zfs-keyvault.service at boot", "systemctl enable zfs-keyvault.service"}};
}

FoundList service_off(const Facts& facts) {
  const std::string line = " " + facts.kernel_command_line + " ";
  if (line.find(" zkv=off ") == std::string::npos && line.find(" zkv=off\n") == std::string::npos) return {};
  return {{"/proc/cmdline",
           "the kernel was started with zkv=off: if the boot loader's settings hold it, no boot asks",
           "take zkv=off out of GRUB_CMDLINE_LINUX in /etc/default/grub, then update-grub"}};
}

FoundList service_too_early(const Facts& facts) {
  FoundList found;
  for (const auto& name : unit_of(facts, kService).words("Before")) {
    if (std::ranges::count(kBeforeNetwork, name) == 0) continue;
    found.push_back(
        {std::string(kService),
         "it is to come before " + name +
             ", which comes before the network that it needs: systemd drops one of them at random",
         "systemctl edit zfs-keyvault.service, and take Before=" + name + " out"});
  }
  return found;
}

FoundList service_time_limit(const Facts& facts) {
  const auto& unit = unit_of(facts, kService);
  const auto limit = scaled(unit.last("TimeoutStartSec"), kTimes);
  const auto asking = scaled(setting_of(facts, "ZKV_TIMEOUT"), kTimes);
  if (!unit.is_there() || !limit || !asking || *limit == 0) return {};
  if (*asking != 0 && *asking + kLeftForVolumes <= *limit) return {};
  const std::string wanted = *asking == 0 ? "infinity" : std::to_string(*asking + kLeftForVolumes);
  return {{std::string(kSettingsFile),
           "ZKV_TIMEOUT is " + std::to_string(*asking) + " s, but systemd ends the unit after " +
               std::to_string(*limit) + " s, with the volumes still to be opened",
           "systemctl edit zfs-keyvault.service: [Service] TimeoutStartSec=" + wanted}};
}

FoundList service_memory(const Facts& facts) {
  const auto& unit = unit_of(facts, kService);
  const auto limit = scaled(unit.last("LimitMEMLOCK"), kSizes);
  if (!unit.is_there() || !limit || *limit >= kSmallestLocked) return {};
  return {{std::string(kService), "it may lock less memory than the keys can need (LimitMEMLOCK)",
           "systemctl edit zfs-keyvault.service: [Service] LimitMEMLOCK=64M"}};
}

/// Whether these words of a command line name a gateway, or a key.
bool do_name_a_source(const std::string& options) {
  std::istringstream words(options);
  return std::any_of(std::istream_iterator<std::string>(words), {}, [](const std::string& word) {
    return word.find("://") != std::string::npos || word.starts_with("--key-file") ||
           word.starts_with("--repository-key") || word.starts_with("--repository_key") ||
           word.starts_with("-k");
  });
}

FoundList nobody_to_ask(const Facts& facts) {
  const bool is_told =
      !setting_of(facts, "GATEWAY_URI").empty() || do_name_a_source(setting_of(facts, "ZKV_OPTIONS"));
  if (is_told || !facts.are_enrolments_seen || !facts.enrolments.empty() || facts.enrolment_trouble)
    return {};
  return {{std::string(kSettingsFile),
           "this host is enrolled with no gateway, and none is named: at boot nobody is asked",
           "zkv enroll LINK, with a link from 'zkvgateway host invite' at the gateway"}};
}

}  // namespace zkv::doctor
