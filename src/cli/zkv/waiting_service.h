// The boot's own zkv, when a person has done its work, or undone it.
#pragma once

#include "repository/repository.h"

namespace zkv::cli {

/// Where zfs-keyvault.service asks still, or has failed, it is begun anew and finds `key`, which just opened
/// everything, in the kernel's keyring: so it ends well without asking anybody, and what waits for
/// zfs-keyvault.target starts. Tells of it; does nothing for who is not root, or where no service waits.
void let_service_end(const repository::RepositoryKey& key);

/// Where zfs-keyvault.service stands for open volumes, it is stopped with zfs-keyvault.target, now that all
/// are locked: what requires the target would else start on empty directories. Tells of it; does nothing for
/// who is not root.
void let_service_stop();

}  // namespace zkv::cli
