// All kinds of volume that can be opened.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "unlock/command.h"
#include "unlock/crypt.h"
#include "unlock/hand_over.h"
#include "unlock/secret.h"
#include "unlock/unlocker.h"
#include "unlock/zfs.h"

namespace zkv::unlock {

struct UnlockOptions {
  ZfsOptions zfs;
  CryptOptions crypt = {};
  CommandOptions command = {};
  std::optional<HandOver> hand_over = std::nullopt;  ///< of volumes that systemd opens with our keys
};

/// One unlocker of each kind. Making one neither looks at the machine nor loads a library.
std::vector<std::unique_ptr<Unlocker>> all_unlockers(const UnlockOptions& options);

}  // namespace zkv::unlock
