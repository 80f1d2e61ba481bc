// The time at boot: certificates and requests are judged by it before any server could set it.
#include <algorithm>
#include <array>

#include "doctor/looks.h"

namespace zkv::doctor {

namespace {

constexpr std::array<std::string_view, 7> kSetters{"systemd-timesyncd.service",
                                                   "chrony.service",
                                                   "chronyd.service",
                                                   "ntp.service",
                                                   "ntpsec.service",
                                                   "ntpd.service",
                                                   "openntpd.service"};
constexpr std::array<std::string_view, 2> kWaiters{"systemd-time-wait-sync.service", "chrony-wait.service"};

template <class Names>
bool any_enabled(const Facts& facts, const Names& names) {
  return std::ranges::any_of(names, [&](std::string_view name) { return unit_of(facts, name).is_enabled(); });
}

}  // namespace

FoundList clock_behind(const Facts& facts) {
  if (!facts.description || !facts.description->outside) return {};
  const auto written = facts.description->outside->header.written;
  if (facts.now >= written) return {};
  return {{"the clock",
           "it says " + to_text(facts.now) + ", but the repository was written at " + to_text(written) +
               ": certificates are not valid yet by it",
           "timedatectl set-ntp true, or timedatectl set-time"}};
}

FoundList clock_unset(const Facts& facts) {
  if (facts.units.empty() || any_enabled(facts, kSetters)) return {};
  return {{"the clock", "nothing keeps the clock right, by which a gateway's certificate is judged",
           "apt install systemd-timesyncd && systemctl enable --now systemd-timesyncd.service, or install "
           "chrony"}};
}

FoundList clock_starts_wrong(const Facts& facts) {
  const auto& service = unit_of(facts, "zfs-keyvault.service");
  const bool waits = any_enabled(facts, kWaiters) && (service.names("After", "time-sync.target"));
  if (facts.has_clock || facts.units.empty() || waits) return {};
  return {{"the clock",
           "no clock runs while this machine is off: it boots in the past, where certificates are not valid "
           "yet, and asks before the time is set",
           "systemctl enable systemd-time-wait-sync.service; systemctl edit zfs-keyvault.service: [Unit] "
           "Wants=time-sync.target After=time-sync.target"}};
}

}  // namespace zkv::doctor
