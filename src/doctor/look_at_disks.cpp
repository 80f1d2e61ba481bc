// Disks that a name does not tell apart.
#include <algorithm>

#include "doctor/looks.h"

namespace zkv::doctor {

namespace {

const VolumeFacts* volume_by(const Facts& facts, const std::string& uuid) {
  const auto found = std::ranges::find_if(facts.volumes, [&](const VolumeFacts& volume) {
    return volume.device == "UUID=" + uuid || volume.device == "/dev/disk/by-uuid/" + uuid;
  });
  return found == facts.volumes.end() ? nullptr : &*found;
}

std::string in_words(const std::vector<LuksTwin>& twins) {
  std::string words;
  for (const auto& twin : twins) {
    words.append(words.empty() ? "" : ", ").append(twin.path).append(twin.is_open ? " (open now)" : "");
  }
  return words;
}

}  // namespace

FoundList disk_twin(const Facts& facts) {
  FoundList found;
  for (const auto& [uuid, twins] : facts.luks_twins) {
    const auto* volume = volume_by(facts, uuid);
    if (volume == nullptr) continue;
    found.push_back(
        {volume->name,
         volume->name + " is the disk with LUKS UUID " + uuid +
             ", which more than one has: " + in_words(twins) + "; which of them is opened is chance",
         "find out which of them is the copy (they may be one disk, or halves of a mirror that did "
         "not start), and take that out of the machine"});
  }
  return found;
}

}  // namespace zkv::doctor
