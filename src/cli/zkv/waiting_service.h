// The boot's own zkv, when a person has done its work.
#pragma once

#include "repository/repository.h"

namespace zkv::cli {

/// Where zfs-keyvault.service asks still, or has failed, it is begun anew and finds `key`, which just opened
/// everything, in the kernel's keyring: so it ends well without asking anybody, and what waits for
/// zfs-keyvault.target starts. Tells of it; does nothing for who is not root, or where no service waits.
void let_service_end(const repository::RepositoryKey& key);

}  // namespace zkv::cli
