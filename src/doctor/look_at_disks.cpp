// Disks that a name does not tell apart.
#include <algorithm>

#include "doctor/looks.h"

namespace zkv::doctor {

namespace {

bool is_named_by(const VolumeFacts& volume, const std::string& uuid) {
  return volume.device == "UUID=" + uuid || volume.device == "/dev/disk/by-uuid/" + uuid;
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
    const auto volume =
        std::ranges::find_if(facts.volumes, [&](const auto& one) { return is_named_by(one, uuid); });
    if (volume == facts.volumes.end()) continue;
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
