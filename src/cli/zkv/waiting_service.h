// The boot's own zkv, when a person has done its work, or undone it.
#pragma once

#include "repository/repository.h"

namespace zkv::cli {

/// Where zfs-keyvault.service asks still, or has failed, it is begun anew and finds `key`, which just opened
/// all that it opens, in the kernel's keyring: so it ends without asking anybody, as it would have with that
/// key; where all is open it ends well, and what waits for zfs-keyvault.target starts. Tells of it; does
/// nothing for who is not root, or where no service waits.
void let_service_end(const repository::RepositoryKey& key, bool is_all_open);

/// Whether zfs-keyvault.service asks a gateway, or is about to; never for who is not root, nor for what that
/// service itself runs.
bool does_service_ask();

/// Has zfs-keyvault.service ask now, whose request another of this host took the place of; by itself it would
/// do so after a while. Tells of it; does nothing where it does not ask.
void let_service_ask_again();

/// Has zfs-keyvault.service ask no more by itself, after a person's no to this host. Tells of it; does
/// nothing where it does not ask.
void let_service_rest();

/// Where zfs-keyvault.service has failed, and what it could not open may be open now: says how it ends well.
void tell_of_failed_service();

/// Whether zfs-keyvault.service is active: it has opened volumes since the machine started.
bool does_service_run();

/// Where zfs-keyvault.service or zfs-keyvault.target stands, or is about to, both are stopped, now that all
/// is locked: what requires the target would else start on empty directories, and an approval of what is
/// still asked would open all again. Tells of it; does nothing for who is not root.
void let_service_stop();

/// Where zfs-keyvault.target stands, and not all that should be is locked: says what may come of that.
void warn_of_partly_locked();

}  // namespace zkv::cli
