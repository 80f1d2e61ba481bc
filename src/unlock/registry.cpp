// One line for each kind of volume.
#include "unlock/registry.h"

namespace zkv::unlock {

std::vector<std::unique_ptr<Unlocker>> all_unlockers(const UnlockOptions& options) {
  std::vector<std::unique_ptr<Unlocker>> unlockers;
  unlockers.push_back(make_zfs_unlocker(options.zfs));
  unlockers.push_back(make_luks_unlocker(options.crypt));
  unlockers.push_back(make_plain_unlocker(options.crypt));
  unlockers.push_back(make_bitlk_unlocker(options.crypt));
  unlockers.push_back(make_tcrypt_unlocker(options.crypt));
  unlockers.push_back(make_fvault2_unlocker(options.crypt));
  unlockers.push_back(make_command_unlocker(options.command));
  unlockers.push_back(make_secret_unlocker());
  return unlockers;
}

}  // namespace zkv::unlock
