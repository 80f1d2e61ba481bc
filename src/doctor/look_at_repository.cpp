// The repository and what it is opened with.
#include <algorithm>
#include <filesystem>

#include "doctor/looks.h"

namespace zkv::doctor {

namespace {

const std::vector<repository::Slot>* slots_of(const std::optional<repository::Description>& description) {
  return description && description->outside ? &description->outside->slots : nullptr;
}

bool has_slot(const std::vector<repository::Slot>& slots, std::uint32_t id) {
  return std::ranges::count(slots, id, &repository::Slot::id) > 0;
}

}  // namespace

FoundList repository_unreadable(const Facts& facts) {
  if (facts.damage) {
    return {{facts.repository, *facts.damage,
             "see whether it opens: zkv drill; if not, put " + facts.repository +
                 ".previous or a backup in its place"}};
  }
  if (!facts.repository_trouble) return {};
  const auto& trouble = *facts.repository_trouble;
  return {{facts.repository, trouble.message(), trouble.remedy()}};
}

FoundList repository_older(const Facts& facts) {
  if (!facts.rollback) return {};
  return {{facts.repository, *facts.rollback + ": a share or a kit that was made since does not open it",
           "put the newer file back; or, if this one is meant, see that it opens (zkv drill), then: rm " +
               facts.repository + ".generation"}};
}

FoundList repository_on_volume(const Facts& facts) {
  const auto* volume = volume_over(facts, facts.repository);
  if (volume == nullptr) return {};
  return {{facts.repository, "it lies on " + volume->name + ", which it is needed to open",
           "mv it and what is beside it to /var/lib/zkv while " + volume->name + " is open"}};
}

FoundList enrolment_unusable(const Facts& facts) {
  constexpr const char* kAnew = "enrol anew: zkv enroll LINK, with a link from 'zkvgateway host invite'";
  if (facts.enrolment_trouble) {
    return {{facts.repository + ".enrolments", facts.enrolment_trouble->message(),
             facts.enrolment_trouble->remedy()}};
  }
  FoundList found;
  for (const auto& lost : facts.lost_keys) {
    found.push_back({lost.about, lost.what, lost.remedy.empty() ? kAnew : lost.remedy});
  }
  if (facts.enrolments.empty() || !facts.description) return found;
  for (auto& unfit : host::enrolment_findings(*facts.description, facts.enrolments, facts.repository)) {
    found.push_back({std::move(unfit.about), std::move(unfit.what), std::move(unfit.remedy)});
  }
  return found;
}

FoundList tpm_missing(const Facts& facts) {
  const bool needs = std::ranges::any_of(facts.enrolments, &host::Enrolment::in_tpm);
  if (!needs || facts.has_tpm) return {};
  return {{"/dev/tpmrm0", "this host's key is in its TPM, and there is no TPM",
           "switch it on in the firmware's setup; if it is gone, open by 'zkv unlock' and enrol anew: zkv "
           "enroll LINK"}};
}

FoundList no_way_back(const Facts& facts) {
  const auto* slots = slots_of(facts.description);
  if (slots == nullptr) return {};
  const bool has_way = std::ranges::any_of(*slots, [](const repository::Slot& slot) {
    return slot.type == repository::SlotType::kRecovery || slot.type == repository::SlotType::kPassphrase;
  });
  if (has_way) return {};
  return {{facts.repository,
           "it has neither a recovery slot nor a passphrase: with the gateway, all keys would be lost",
           "zkv recovery create, and print what it shows"}};
}

FoundList previous_opens_more(const Facts& facts) {
  const auto* slots = slots_of(facts.description);
  const auto* before = slots_of(facts.previous);
  if (slots == nullptr || before == nullptr ||
      facts.previous->outside->header.id != facts.description->outside->header.id)
    return {};
  std::string gone;
  for (const auto& slot : *before) {
    if (!has_slot(*slots, slot.id)) gone += (gone.empty() ? "" : ", ") + std::to_string(slot.id);
  }
  if (gone.empty()) return {};
  const std::string path = facts.repository + ".previous";
  return {{path, "the generation before still opens by what was taken away (slot " + gone + ")",
           "rm " + path + ", or zkv rotate where that key may be in other hands"}};
}

FoundList disk_full(const Facts& facts) {
  constexpr std::uint64_t kEnough = std::uint64_t{4} << 20U;  // some generations of any repository
  if (!facts.room || *facts.room >= kEnough) return {};
  const auto folder = std::filesystem::path(facts.repository).parent_path().string();
  return {{folder, "its disk is full, or nearly: the volumes still open, but no key can be added or rotated",
           "see what fills it: du -xh -d 1 $(df --output=target " + folder + " | tail -n 1)"}};
}

}  // namespace zkv::doctor
