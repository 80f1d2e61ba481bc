// Disks that a name does not tell apart.
#include <algorithm>

#include "doctor/looks.h"

namespace zkv::doctor {

FoundList disk_twin(const Facts& facts) {
  FoundList found;
  for (const auto& [uuid, paths] : facts.luks_twins) {
    const auto volume = std::ranges::find(facts.volumes, "UUID=" + uuid, &VolumeFacts::device);
    if (volume == facts.volumes.end()) continue;
    std::string what = volume->name + " is the disk with LUKS UUID " + uuid + ", which more than one has: ";
    for (const auto& path : paths) what.append(path == paths.front() ? "" : ", ").append(path);
    found.push_back({volume->name, std::move(what) + "; which of them is opened is chance",
                     "take the copy out of the machine, or give it another: cryptsetup luksUUID --uuid "
                     "$(uuidgen) with its path"});
  }
  return found;
}

}  // namespace zkv::doctor
