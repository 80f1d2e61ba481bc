// All kinds of volume that can be opened.
#pragma once

#include <memory>
#include <vector>

#include "unlock/command.h"
#include "unlock/crypt.h"
#include "unlock/secret.h"
#include "unlock/unlocker.h"
#include "unlock/zfs.h"

namespace zkv::unlock {

struct UnlockOptions {
  ZfsOptions zfs;
  CryptOptions crypt = {};
  CommandOptions command = {};
};

/// One unlocker of each kind. Making one neither looks at the machine nor loads a library.
std::vector<std::unique_ptr<Unlocker>> all_unlockers(const UnlockOptions& options);

}  // namespace zkv::unlock
