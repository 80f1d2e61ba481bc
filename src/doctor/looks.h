// What the checks do, by the file that each is in. Each names what it found in `facts`, or nothing.
#pragma once

#include <vector>

#include "doctor/facts.h"
#include "doctor/finding.h"

namespace zkv::doctor {

using FoundList = std::vector<Found>;

// look_at_service.cpp
FoundList service_missing(const Facts& facts);
FoundList service_masked(const Facts& facts);
FoundList service_replaced(const Facts& facts);
FoundList service_disabled(const Facts& facts);
FoundList service_off(const Facts& facts);
FoundList service_too_early(const Facts& facts);
FoundList service_time_limit(const Facts& facts);
FoundList service_memory(const Facts& facts);
FoundList nobody_to_ask(const Facts& facts);

// look_at_dependents.cpp
FoundList dependent_unordered(const Facts& facts);
FoundList dependent_unbound(const Facts& facts);
FoundList dependent_holds_boot(const Facts& facts);
FoundList dependent_lacks_secret(const Facts& facts);

// look_at_tables.cpp
FoundList crypttab_asks(const Facts& facts);
FoundList crypttab_key_file(const Facts& facts);
FoundList crypttab_netdev(const Facts& facts);
FoundList crypttab_unknown(const Facts& facts);
FoundList fstab_stops_boot(const Facts& facts);
FoundList fstab_too_early(const Facts& facts);
FoundList fstab_gives_up(const Facts& facts);
FoundList fstab_type(const Facts& facts);
FoundList last_opening(const Facts& facts);

// look_at_disks.cpp
FoundList disk_twin(const Facts& facts);

// look_at_zfs.cpp
FoundList zfs_asks(const Facts& facts);
FoundList zfs_key_file(const Facts& facts);
FoundList zfs_import_off(const Facts& facts);
FoundList zfs_pool_unlisted(const Facts& facts);
FoundList zfs_pool_early(const Facts& facts);
FoundList zfs_mount_off(const Facts& facts);

// look_at_network.cpp
FoundList gateway_name(const Facts& facts);
FoundList gateway_unreached(const Facts& facts);
FoundList gateway_untrusted(const Facts& facts);
FoundList gateway_certificate_ends(const Facts& facts);
FoundList gateway_refuses(const Facts& facts);
FoundList gateway_asks_nobody(const Facts& facts);
FoundList gateway_plain_http(const Facts& facts);

// look_at_clock.cpp
FoundList clock_behind(const Facts& facts);
FoundList clock_unset(const Facts& facts);
FoundList clock_starts_wrong(const Facts& facts);

// look_at_repository.cpp
FoundList repository_unreadable(const Facts& facts);
FoundList repository_older(const Facts& facts);
FoundList repository_on_volume(const Facts& facts);
FoundList enrolment_unusable(const Facts& facts);
FoundList tpm_missing(const Facts& facts);
FoundList no_way_back(const Facts& facts);
FoundList previous_opens_more(const Facts& facts);
FoundList disk_full(const Facts& facts);

// look_at_early.cpp
FoundList initramfs_old(const Facts& facts);

// look_at_files.cpp
FoundList file_writable(const Facts& facts);
FoundList file_readable(const Facts& facts);
FoundList key_left_lying(const Facts& facts);
FoundList repository_copy(const Facts& facts);
FoundList repository_other(const Facts& facts);
FoundList swap_plain(const Facts& facts);

}  // namespace zkv::doctor
