// Datasets as zfs(8) lists them, and what loading and unloading of keys returned, read as outcomes.
#include "unlock/zfs_outcome.h"

#include <utility>

namespace zkv::unlock {

namespace {

Happened happened_of(const Result<>& result, Attempt attempt) {
  if (result) return attempt == Attempt::kTrial ? Happened::kKeyFits : Happened::kOpened;
  switch (result.error().kind()) {
    case ErrorKind::kExists:
      return Happened::kAlreadyOpen;
    case ErrorKind::kWrongKey:
      return Happened::kWrongKey;
    case ErrorKind::kInvalid:
      return Happened::kUnusableKey;
    case ErrorKind::kNotFound:
      return Happened::kMissing;
    case ErrorKind::kInterrupted:
      return Happened::kInterrupted;
    default:
      return Happened::kFailed;
  }
}

}  // namespace

Presence presence_of(std::string_view name, const Listing& listing) {
  if (const auto found = listing.datasets.find(name); found != listing.datasets.end()) {
    if (!found->second.unclear.empty()) return Presence::kUnknown;
    return found->second.has_own_key() ? Presence::kPresent : Presence::kNotAVolume;
  }
  return listing.datasets.contains(pool_of(name)) ? Presence::kMissing : Presence::kPoolMissing;
}

VolumeState state_of(const std::string& name, const Listing& listing) {
  VolumeState state{name, presence_of(name, listing), false, false, {}};
  const auto found = listing.datasets.find(name);
  if (found == listing.datasets.end() || !found->second.unclear.empty()) return state;
  state.is_open = found->second.is_key_loaded;
  state.is_mounted = found->second.is_mounted;
  state.key_file = found->second.key_file;
  if (found->second.mountpoint.starts_with('/')) state.mountpoint = found->second.mountpoint;
  return state;
}

Outcome failure(std::string volume, Happened happened, const Error& error) {
  return {std::move(volume), happened, error.message(), error.remedy(), {}};
}

Outcome not_there(const std::string& name, const Listing& listing) {
  const std::string pool(pool_of(name));
  switch (presence_of(name, listing)) {
    case Presence::kPoolMissing:
      return {name,
              Happened::kPoolMissing,
              "the pool " + pool + " is not imported",
              "zpool import " + pool +
                  "; if it lies on another volume here, so that it comes with this one at each boot: "
                  "zkv volume add --force --keep-key --options import " +
                  name + "; if it has another name now: zkv volume rename " + pool + " NEW",
              {}};
    case Presence::kNotAVolume: {
      const auto& root = listing.datasets.find(name)->second.encryption_root;
      if (root.empty()) return {name, Happened::kNotAVolume, "it is not encrypted", {}, {}};
      return {name,
              Happened::kNotAVolume,
              "it has no key of its own, but that of " + root,
              "have " + root +
                  " in the repository; then this one is needed no more: zkv volume remove --force " + name,
              {}};
    }
    case Presence::kUnknown:
      return {name,
              Happened::kFailed,
              "what zfs(8) says of it is not understood: " + listing.datasets.find(name)->second.unclear,
              "zfs get all " + name,
              {}};
    default:
      return {name,
              Happened::kMissing,
              "it does not exist",
              "zfs list -r " + pool + "; if it has another name now: zkv volume rename " + name + " NEW",
              {}};
  }
}

Outcome outcome_of(const std::string& name, const KeyLoaded& loaded, Attempt attempt) {
  const Happened happened = happened_of(loaded.result, attempt);
  Outcome outcome{name, happened, {}, {}, loaded.took};
  if (is_success(happened)) return outcome;
  outcome.detail = loaded.result.error().message();
  outcome.remedy = loaded.result.error().remedy();
  if (happened == Happened::kWrongKey) {
    outcome.detail = "the key in the repository is not its key";
    outcome.remedy = "if its key was changed, put the new one in: zkv volume add --force " + name;
  }
  return outcome;
}

std::optional<Outcome> settled_before_loading(const std::string& name, const Listing& listing,
                                              Attempt attempt) {
  if (presence_of(name, listing) != Presence::kPresent) return not_there(name, listing);
  const bool is_open = listing.datasets.find(name)->second.is_key_loaded;
  if (is_open && attempt == Attempt::kOpen) return Outcome{name, Happened::kAlreadyOpen, {}, {}, {}};
  return std::nullopt;
}

std::optional<Outcome> settled_before_unloading(const std::string& name, const Listing& listing) {
  const auto presence = presence_of(name, listing);
  if (presence == Presence::kUnknown) return std::nullopt;
  if (presence != Presence::kPresent) return not_there(name, listing);
  const bool is_open = listing.datasets.find(name)->second.is_key_loaded;
  if (!is_open) return Outcome{name, Happened::kAlreadyClosed, {}, {}, {}};
  return std::nullopt;
}

Outcome closed(const std::string& name, const Result<>& unloaded) {
  if (unloaded) return {name, Happened::kClosed, {}, {}, {}};
  const ErrorKind kind = unloaded.error().kind();
  if (kind == ErrorKind::kNotFound) return {name, Happened::kAlreadyClosed, {}, {}, {}};
  return failure(name, kind == ErrorKind::kInterrupted ? Happened::kInterrupted : Happened::kFailed,
                 unloaded.error());
}

bool is_busy(const Result<>& unloaded) {
  return !unloaded && unloaded.error().kind() == ErrorKind::kConflict;
}

std::vector<Outcome> all_failed(const std::vector<std::string>& names, const Error& error) {
  std::vector<Outcome> outcomes;
  outcomes.reserve(names.size());
  for (const auto& name : names) outcomes.push_back(failure(name, Happened::kFailed, error));
  return outcomes;
}

}  // namespace zkv::unlock
