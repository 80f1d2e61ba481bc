// Kind by kind: is it there, is its key the same, and what else is there.
#include "host/drift.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/plain_text.h"
#include "unlock/zfs.h"

namespace zkv::host {

namespace {

using unlock::Presence;
using unlock::VolumeRef;

constexpr const char* kNeverOpened =
    "it was never opened on this machine: what it holds, and so what is not in it, cannot be told";
constexpr const char* kOpenIt =
    "try its keys, which opens nothing: zkv check --key-file FILE; or open it: zkv unlock";

/// As on a new machine, whose repository came from a backup.
bool knows_nothing(const DriftRecord& record, const std::vector<std::string>& names) {
  return record.repository.empty() && record.volumes.empty() && names.empty();
}

std::vector<VolumeRef> known_refs(const DriftRecord& record, const std::vector<std::string>& names) {
  std::vector<VolumeRef> refs;
  for (const auto& [name, volume] : record.volumes) refs.push_back({name, volume.settings});
  for (const auto& name : names) {
    if (!record.volumes.contains(name)) refs.push_back({name, {}});
  }
  return refs;
}

/// `device` is where the repository says that it lies; empty where its name alone says so.
std::optional<Finding> finding_of_presence(const unlock::VolumeState& state, const std::string& device) {
  const auto& name = state.name;
  if (state.is_served) return std::nullopt;
  const auto elsewhere =
      device.empty() ? std::string()
                     : "; if it is on another disk now: zkv volume add --force --device DEVICE " + name;
  const auto renamed = device.empty() && state.mountpoint.empty()
                           ? "if it has another name now: zkv volume rename " + name + " NEW; "
                           : std::string();
  switch (state.presence) {
    case Presence::kMissing:
      return Finding{name, device.empty() ? "it is not there" : "it is not there (" + device + ")",
                     renamed + "if it is gone for good: zkv volume remove --force " + name + elsewhere};
    case Presence::kPoolMissing: {
      const std::string pool(unlock::pool_of(name));
      return Finding{
          name, "its pool is not imported",
          "zpool import " + pool + "; if it has another name now: zkv volume rename " + pool + " NEW"};
    }
    case Presence::kNotAVolume:
      return Finding{name, "it has no key of its own any more",
                     "if it has another name now: zkv volume rename " + name +
                         " NEW; if its key is needed no more: zkv volume remove --force " + name +
                         "; see zfs get encryptionroot " + name};
    default:
      return std::nullopt;
  }
}

std::string since_when(Time proved) {
  return "since the repository's key last fitted (" + to_text(proved) + ")";
}

/// Takes out of `refs` what is not there, or has no key any more; gives whether there was any. Errors: those
/// of Unlocker::inspect().
Result<bool> leave_out_missing(unlock::Unlocker& unlocker, std::vector<VolumeRef>& refs, Drift& drift) {
  const auto before = refs.size();
  ZKV_TRY(const auto states, unlocker.inspect(refs));
  for (const auto& state : states) {
    const auto ref =
        std::find_if(refs.begin(), refs.end(), [&](const VolumeRef& one) { return one.name == state.name; });
    auto finding = finding_of_presence(state, ref == refs.end() ? "" : ref->settings.device);
    if (!finding) continue;
    const bool comes_later = state.presence == Presence::kPoolMissing && ref != refs.end() &&
                             unlock::brings_its_pool(ref->settings);
    if (ref != refs.end()) refs.erase(ref);
    if (comes_later) {
      drift.notes.push_back(state.name + ": its pool is imported when it is opened, and was not looked at");
      continue;
    }
    drift.findings.push_back(std::move(*finding));
  }
  return refs.size() < before;
}

/// What `now` shows of the key of a volume that is there.
void compare_key(const KnownVolume& known, const unlock::Fingerprint& now, Drift& drift) {
  const auto& name = now.volume;
  if (!known.refused.empty()) {
    return drift.findings.push_back(
        {name, "when its key was tried last, it did not fit: " + known.refused,
         "put the right one in: zkv volume add --force " + name + "; then try it: zkv drill"});
  }
  if (known.proved == Time{}) {
    return drift.notes.push_back(name + ": its key was never seen to fit; 'zkv drill' tries it");
  }
  const auto change = unlock::difference(known.fingerprint, now);
  if (!change.empty()) {
    drift.findings.push_back({name, since_when(known.proved) + ", " + change,
                              "try the key: zkv drill, or zkv check --key-file FILE; if it is another now: "
                              "zkv volume add --force " +
                                  name});
  }
  if (!now.unseen.empty()) drift.notes.push_back(name + ": " + now.unseen);
}

/// Gives whether any that is known is not there.
bool compare_kind(const DriftRecord& record, unlock::Unlocker& unlocker, Drift& drift) {
  auto refs = refs_of_kind(record.volumes, unlocker.name());
  if (refs.empty()) return false;
  const auto is_any_missing = leave_out_missing(unlocker, refs, drift);
  if (!is_any_missing) {
    const auto& error = is_any_missing.error();
    drift.findings.push_back({std::string(unlocker.name()),
                              "volumes of this kind cannot be looked at: " + error.message(),
                              error.remedy()});
    return false;
  }
  for (const auto& now : unlocker.fingerprints(refs)) {
    compare_key(record.volumes.find(now.volume)->second, now, drift);
  }
  return *is_any_missing;
}

}  // namespace

std::string accepted_name(const Adoptable& volume, const Unlockers& unlockers) {
  return accepted_name(unlockers[volume.kind]->name(), volume.name, volume.settings);
}

Drift find_drift(const DriftRecord& record, const std::vector<std::string>& names, const Unlockers& unlockers,
                 const AdoptablePlaces& places) {
  Drift drift;
  std::set<std::string_view> kinds_that_lack_some;
  for (const auto& unlocker : unlockers) {
    if (compare_kind(record, *unlocker, drift)) kinds_that_lack_some.insert(unlocker->name());
  }
  if (knows_nothing(record, names)) {
    drift.findings.push_back({"the repository", kNeverOpened, kOpenIt});
    return drift;
  }
  const auto found = find_adoptable(unlockers, known_refs(record, names), places);
  if (!found) {
    drift.findings.push_back({"crypttab", found.error().message(), found.error().remedy()});
    return drift;
  }
  for (const auto& volume : found->volumes) {
    if (record.accepted.contains(accepted_name(volume, unlockers))) continue;
    const bool may_be_renamed = kinds_that_lack_some.contains(unlockers[volume.kind]->name());
    drift.findings.push_back(
        {plain_text(volume.name), "it is encrypted, and not in the repository",
         std::string(may_be_renamed ? "if it is one that is missing, under another name: "
                                      "zkv volume rename OLD NEW; else "
                                    : "") +
             "take it in: zkv volume adopt; or leave it out for good: zkv check --accept"});
  }
  return drift;
}

Result<std::vector<std::string>> accept_strangers(DriftRecord& record, const std::vector<std::string>& names,
                                                  const Unlockers& unlockers, const AdoptablePlaces& places) {
  if (knows_nothing(record, names))
    return Error::conflict(std::string("the repository: ") + kNeverOpened).remedy(kOpenIt);
  ZKV_TRY(const auto found, find_adoptable(unlockers, known_refs(record, names), places));
  std::vector<std::string> accepted;
  for (const auto& volume : found.volumes) {
    if (record.accepted.insert(accepted_name(volume, unlockers)).second) accepted.push_back(volume.name);
  }
  return accepted;
}

std::vector<Finding> lost_enrolments(const std::vector<repository::Slot>& slots,
                                     const std::vector<Enrolment>& enrolments,
                                     const std::string& repository) {
  std::vector<Finding> lost;
  for (const auto& slot : slots) {
    const auto gateway = repository::gateway_of(slot);
    if (!gateway || std::ranges::any_of(enrolments, [&](const auto& one) { return one.gateway == *gateway; }))
      continue;
    const auto id = std::to_string(slot.id);
    lost.push_back(
        {repository + ".enrolments",
         "there is no enrolment with the gateway whose share opens slot " + id + ": it is not asked",
         "put that folder back from a backup, or enrol again: zkv enroll LINK; if that gateway is "
         "not to be asked any more: zkv slot remove " +
             id});
  }
  return lost;
}

std::optional<Finding> misfit_of(const Enrolment& enrolment, const repository::Description& repository) {
  constexpr const char* kAnew = "enrol anew: zkv enroll LINK, with a link from 'zkvgateway host invite'";
  if (!repository.outside) {
    return Finding{enrolment.address,
                   "the repository has the seed's format, which the gateway's share cannot open",
                   "zkv repository convert, then zkv enroll LINK"};
  }
  const auto& [header, slots] = *repository.outside;
  if (enrolment.repository != header.id) {
    return Finding{enrolment.address, "the enrolment is for another repository than this one",
                   std::string("put the right one back, or ") + kAnew};
  }
  const bool has_slot = std::ranges::any_of(slots, [&](const auto& slot) {
    return slot.id == enrolment.slot && repository::gateway_of(slot) == enrolment.gateway;
  });
  if (has_slot) return std::nullopt;
  return Finding{enrolment.address,
                 "the repository has no slot " + std::to_string(enrolment.slot) +
                     " of this gateway, whose share opens nothing else",
                 kAnew};
}

std::vector<Finding> enrolment_findings(const repository::Description& repository,
                                        const std::vector<Enrolment>& enrolments, const std::string& path) {
  std::vector<Finding> findings;
  if (repository.outside) findings = lost_enrolments(repository.outside->slots, enrolments, path);
  for (const auto& enrolment : enrolments) {
    if (auto misfit = misfit_of(enrolment, repository)) findings.push_back(std::move(*misfit));
  }
  return findings;
}

std::optional<Finding> finding_of_changes(const DriftRecord& record) {
  if (record.changing.empty()) return std::nullopt;
  std::string names;
  for (const auto& name : record.changing) names += (names.empty() ? "" : ", ") + plain_text(name);
  return Finding{"volume keys", "their change was cut off, and the old ones may still open " + names,
                 "zkv rotate --volume-keys goes on where it was"};
}

std::optional<Finding> finding_of(const unlock::Outcome& outcome) {
  if (unlock::is_success(outcome.happened)) return std::nullopt;
  const auto what = outcome.detail.empty() ? std::string(unlock::to_text(outcome.happened)) : outcome.detail;
  return Finding{outcome.volume, what, outcome.remedy};
}

std::optional<Finding> finding_of_end(const std::string& about, const std::string& what,
                                      std::optional<Time> end, Time now, const std::string& remedy) {
  if (!end || *end > now + kSoon) return std::nullopt;
  return Finding{about, what + (*end <= now ? " ended at " : " ends soon, at ") + to_text(*end), remedy};
}

}  // namespace zkv::host
