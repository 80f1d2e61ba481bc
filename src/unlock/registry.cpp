// One line for each kind of volume.
#include "unlock/registry.h"

namespace zkv::unlock {

namespace {

std::unique_ptr<Unlocker> handing(std::unique_ptr<Unlocker> unlocker, const UnlockOptions& options) {
  if (!options.hand_over) return unlocker;
  return make_handing_unlocker(std::move(unlocker), *options.hand_over, options.crypt);
}

}  // namespace

std::vector<std::unique_ptr<Unlocker>> all_unlockers(const UnlockOptions& options) {
  std::vector<std::unique_ptr<Unlocker>> unlockers;
  unlockers.push_back(make_zfs_unlocker(options.zfs));
  unlockers.push_back(handing(make_luks_unlocker(options.crypt), options));
  unlockers.push_back(handing(make_plain_unlocker(options.crypt), options));
  unlockers.push_back(handing(make_bitlk_unlocker(options.crypt), options));
  unlockers.push_back(handing(make_tcrypt_unlocker(options.crypt), options));
  unlockers.push_back(handing(make_fvault2_unlocker(options.crypt), options));
  unlockers.push_back(make_command_unlocker(options.command));
  unlockers.push_back(make_secret_unlocker());
  return unlockers;
}

}  // namespace zkv::unlock
