// The initramfs, whose copy of the repository opens the root.
#include <algorithm>

#include "doctor/looks.h"

namespace zkv::doctor {

FoundList initramfs_old(const Facts& facts) {
  const auto& [copied, initramfses] = facts.early;
  const auto newest = std::ranges::max_element(copied, {}, &EarlyFacts::File::changed);
  if (newest == copied.end()) return {};
  FoundList found;
  for (const auto& initramfs : initramfses) {
    if (initramfs.changed >= newest->changed) continue;
    found.push_back(
        {initramfs.path,
         "it was made before " + newest->path + " changed last: it asks with an older copy of that",
         "update-initramfs -u -k all, or with dracut: dracut --regenerate-all --force"});
  }
  return found;
}

}  // namespace zkv::doctor
