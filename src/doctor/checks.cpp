// In the order of a boot: the unit, what waits for it, volumes, network, clock, files.
#include "doctor/checks.h"

#include <array>

#include "doctor/looks.h"

namespace zkv::doctor {

namespace {

using enum Weight;

constexpr std::array kChecks{
    Check{"service-missing", kMend, service_missing},
    Check{"service-masked", kMend, service_masked},
    Check{"service-replaced", kMend, service_replaced},
    Check{"service-disabled", kMend, service_disabled},
    Check{"service-off", kMend, service_off},
    Check{"service-too-early", kMend, service_too_early},
    Check{"service-time-limit", kMend, service_time_limit},
    Check{"service-memory", kMend, service_memory},
    Check{"nobody-to-ask", kMend, nobody_to_ask},
    Check{"dependent-unordered", kMend, dependent_unordered},
    Check{"dependent-unbound", kMend, dependent_unbound},
    Check{"dependent-holds-boot", kNote, dependent_holds_boot},
    Check{"dependent-lacks-secret", kMend, dependent_lacks_secret},
    Check{"crypttab-asks", kMend, crypttab_asks},
    Check{"crypttab-key-file", kNote, crypttab_key_file},
    Check{"crypttab-netdev", kMend, crypttab_netdev},
    Check{"crypttab-unknown", kMend, crypttab_unknown},
    Check{"fstab-stops-boot", kMend, fstab_stops_boot},
    Check{"fstab-too-early", kMend, fstab_too_early},
    Check{"fstab-gives-up", kMend, fstab_gives_up},
    Check{"fstab-type", kMend, fstab_type},
    Check{"last-opening", kMend, last_opening},
    Check{"disk-twin", kMend, disk_twin},
    Check{"zfs-asks", kMend, zfs_asks},
    Check{"zfs-key-file", kNote, zfs_key_file},
    Check{"zfs-import-off", kMend, zfs_import_off},
    Check{"zfs-pool-unlisted", kMend, zfs_pool_unlisted},
    Check{"zfs-pool-early", kNote, zfs_pool_early},
    Check{"zfs-mount-off", kNote, zfs_mount_off},
    Check{"gateway-name", kMend, gateway_name},
    Check{"gateway-unreached", kMend, gateway_unreached},
    Check{"gateway-untrusted", kMend, gateway_untrusted},
    Check{"gateway-certificate-ends", kMend, gateway_certificate_ends},
    Check{"gateway-refuses", kMend, gateway_refuses},
    Check{"gateway-asks-nobody", kNote, gateway_asks_nobody},
    Check{"gateway-plain-http", kMend, gateway_plain_http},
    Check{"clock-behind", kMend, clock_behind},
    Check{"clock-unset", kNote, clock_unset},
    Check{"clock-starts-wrong", kMend, clock_starts_wrong},
    Check{"repository-unreadable", kMend, repository_unreadable},
    Check{"repository-older", kMend, repository_older},
    Check{"repository-on-volume", kMend, repository_on_volume},
    Check{"enrolment-unusable", kMend, enrolment_unusable},
    Check{"tpm-missing", kMend, tpm_missing},
    Check{"no-way-back", kNote, no_way_back},
    Check{"previous-opens-more", kNote, previous_opens_more},
    Check{"disk-full", kNote, disk_full},
    Check{"initramfs-old", kMend, initramfs_old},
    Check{"file-writable", kMend, file_writable},
    Check{"file-readable", kMend, file_readable},
    Check{"key-left-lying", kNote, key_left_lying},
    Check{"repository-copy", kNote, repository_copy},
    Check{"repository-other", kNote, repository_other},
    Check{"swap-plain", kNote, swap_plain},
};

}  // namespace

std::span<const Check> all_checks() { return kChecks; }

std::vector<Finding> examine(const Facts& facts) {
  std::vector<Finding> findings;
  for (const auto& check : kChecks) {
    for (auto& found : check.look(facts)) findings.push_back({check.slug, check.weight, std::move(found)});
  }
  return findings;
}

}  // namespace zkv::doctor
