// The words for what became of volumes and filesystems.
#include "unlock/unlocker.h"

#include <functional>
#include <set>

namespace zkv::unlock {

std::string_view to_text(Happened happened) {
  switch (happened) {
    case Happened::kOpened:
      return "opened";
    case Happened::kAlreadyOpen:
      return "already-open";
    case Happened::kKeyFits:
      return "key-fits";
    case Happened::kUntried:
      return "untried";
    case Happened::kServed:
      return "served";
    case Happened::kClosed:
      return "closed";
    case Happened::kAlreadyClosed:
      return "already-closed";
    case Happened::kWrongKey:
      return "wrong-key";
    case Happened::kUnusableKey:
      return "unusable-key";
    case Happened::kMissing:
      return "missing";
    case Happened::kPoolMissing:
      return "pool-missing";
    case Happened::kNotAVolume:
      return "not-a-volume";
    case Happened::kInterrupted:
      return "interrupted";
    case Happened::kFailed:
      break;
  }
  return "failed";
}

bool is_success(Happened happened) {
  switch (happened) {
    case Happened::kOpened:
    case Happened::kAlreadyOpen:
    case Happened::kKeyFits:
    case Happened::kUntried:
    case Happened::kServed:
    case Happened::kClosed:
    case Happened::kAlreadyClosed:
      return true;
    default:
      return false;
  }
}

std::string_view to_text(MountHappened happened) {
  switch (happened) {
    case MountHappened::kMounted:
      return "mounted";
    case MountHappened::kAlreadyMounted:
      return "already-mounted";
    case MountHappened::kUnmounted:
      return "unmounted";
    case MountHappened::kSkipped:
      return "skipped";
    case MountHappened::kHeldBack:
      return "held-back";
    case MountHappened::kInterrupted:
      return "interrupted";
    case MountHappened::kFailed:
      break;
  }
  return "failed";
}

bool is_success(MountHappened happened) {
  switch (happened) {
    case MountHappened::kMounted:
    case MountHappened::kAlreadyMounted:
    case MountHappened::kUnmounted:
    case MountHappened::kSkipped:
      return true;
    default:
      return false;
  }
}

Result<> Unlocker::check_change(const VolumeRef& volume) const {
  return Error::unsupported("zkv changes no keys of kind " + std::string(name()))
      .remedy("change it by its own tools, then put it in: zkv volume add --force " + volume.name);
}

Result<> Unlocker::give_key(const Volume& volume, std::span<const std::uint8_t> /*key*/) {
  return check_change({volume.name, volume.settings});
}

Result<> Unlocker::take_key(const Volume& volume, std::span<const std::uint8_t> /*key*/) {
  return check_change({volume.name, volume.settings});
}

Result<> keep_derived(repository::VolumeKeys& keys, const std::vector<DerivedFor>& derived) {
  std::set<std::string, std::less<>> in_change;
  for (const auto& volume : keys.volumes()) {
    if (!volume.next_key.empty()) in_change.insert(volume.name);
  }
  for (const auto& one : derived) {
    if (keys.contains(one.volume) && !in_change.contains(one.volume)) {
      ZKV_CHECK(keys.set_derived(one.volume, {one.salt, one.iterations, one.key.span()}));
    }
  }
  return {};
}

std::string difference(const Fingerprint& before, const Fingerprint& now) {
  for (const auto& [name, value] : before.marks) {
    const auto found = now.marks.find(name);
    if (found == now.marks.end()) return "its " + name + " is gone";
    if (found->second != value) return "its " + name + " is another";
  }
  const bool is_later = !now.last_change.empty() && now.last_change != before.last_change;
  if (is_later && before.unseen.empty()) return "its key was changed at " + now.last_change;
  return {};
}

std::vector<Fingerprint> Unlocker::fingerprints(const std::vector<VolumeRef>& volumes) {
  std::vector<Fingerprint> all;
  all.reserve(volumes.size());
  for (const auto& volume : volumes) {
    all.push_back({volume.name, {}, {}, "a volume of kind " + std::string(name()) + " shows no such change"});
  }
  return all;
}

Result<> Unlocker::create(const NewVolume& volume) {
  return Error::unsupported("a volume of kind " + std::string(name()) + " is not made by zkv")
      .remedy("make it with its own tools, and add it: zkv volume add " + volume.name);
}

}  // namespace zkv::unlock
