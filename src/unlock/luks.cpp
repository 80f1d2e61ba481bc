// The LUKS unlocker: which device and mapping a volume means, and in which words the outcome is told.
#include "unlock/luks.h"

#include <algorithm>
#include <functional>
#include <optional>

#include "unlock/block_devices.h"
#include "unlock/crypt_library.h"
#include "unlock/luks_mount.h"
#include "unlock/luks_options.h"
#include "unlock/mappings.h"
#include "unlock/workers.h"

namespace zkv::unlock {

namespace fs = std::filesystem;

namespace {

using Volume = Unlocker::Volume;

/// A volume that is to be opened, with all that was found out about it.
struct Candidate {
  CryptLibrary::Device device;
  LuksWishes wishes;
  std::uint64_t memory = 0;
};

Outcome told(const Volume& volume, Happened happened, std::string detail = {}, std::string remedy = {}) {
  return {volume.name, happened, std::move(detail), std::move(remedy), {}, volume.settings.device};
}

Outcome told(const Volume& volume, Happened happened, const Error& error) {
  return told(volume, happened, error.message(), error.remedy());
}

std::string command_to_change(const std::string& name) { return "zkv volume add --force " + name; }

Happened happened_of_luks(const Result<>& result, Attempt attempt) {
  if (result) return attempt == Attempt::kTrial ? Happened::kKeyFits : Happened::kOpened;
  switch (result.error().kind()) {
    case ErrorKind::kWrongKey:
      return Happened::kWrongKey;
    case ErrorKind::kInterrupted:
      return Happened::kInterrupted;
    default:
      return Happened::kFailed;
  }
}

Outcome outcome_of_work(const Volume& volume, const Worked& worked, Attempt attempt) {
  const Happened happened = happened_of_luks(worked.result, attempt);
  Outcome outcome = told(volume, happened);
  outcome.took = worked.took;
  if (is_success(happened)) return outcome;
  outcome.detail = worked.result.error().message();
  outcome.remedy = worked.result.error().remedy();
  if (happened == Happened::kWrongKey) {
    outcome.detail = "the key in the repository opens none of its key slots";
    outcome.remedy = "if its key was changed, put the new one in: " + command_to_change(volume.name);
  }
  return outcome;
}

/// Whether what is mapped already lets the volume be opened, and the outcome where there is nothing to do.
std::optional<Outcome> settled_by_mappings(const Volume& volume, const fs::path& device,
                                           const Mappings& mappings) {
  if (const Mapping* mapping = mappings.find(volume.name)) {
    if (mapping->is_luks() && mappings.lies_on(*mapping, device)) return told(volume, Happened::kAlreadyOpen);
    return told(volume, Happened::kFailed,
                "the mapping " + volume.name + " belongs to another device" +
                    (mapping->devices.empty() ? std::string() : " (" + mapping->devices.front() + ")"),
                "close that (cryptsetup close " + volume.name + "), or add the volume under another name");
  }
  if (const Mapping* other = mappings.luks_on(device)) {
    return told(volume, Happened::kFailed, "its device is open already, as /dev/mapper/" + other->name,
                "close that (cryptsetup close " + other->name + "), or add the volume as " + other->name);
  }
  return std::nullopt;
}

Outcome closed_mapping(const std::string& name, Happened happened, std::string detail = {},
                       std::string remedy = {}) {
  return {name, happened, std::move(detail), std::move(remedy), {}};
}

/// Who keeps a mapping from being closed.
std::string users_of(const Mapping& mapping, const LuksMounts& mounts) {
  std::string users;
  for (const auto& place : mounts.places_of(mapping)) users += ", mounted at " + place;
  for (const auto& holder : mapping.holders) users += ", part of " + holder;
  return users;
}

class LuksUnlocker final : public Unlocker {
 public:
  explicit LuksUnlocker(LuksOptions options) : options_(std::move(options)) {}

  [[nodiscard]] repository::VolumeKind kind() const override { return repository::VolumeKind::kLuks; }
  [[nodiscard]] std::string_view name() const override { return "luks"; }

  [[nodiscard]] Result<> check(const VolumeRef& volume) const override {
    ZKV_CHECK(check_mapping_name(volume.name));
    ZKV_CHECK(check_device_name(volume.settings.device));
    const auto& mountpoint = volume.settings.mountpoint;
    if (!mountpoint.empty() && !mountpoint.starts_with('/')) {
      return Error::invalid("a mount point is a whole path, such as /srv");
    }
    return parse_luks_options(volume.settings.options).map([](const LuksWishes&) {});
  }

  [[nodiscard]] Result<std::vector<VolumeState>> inspect(const std::vector<VolumeRef>& volumes) override {
    std::vector<VolumeState> states;
    if (volumes.empty()) return states;
    const auto mappings = Mappings::read(options_.blocks);
    ZKV_TRY(const auto mounts, LuksMounts::read(options_));
    for (const auto& volume : volumes) states.push_back(state_of(volume, mappings, mounts));
    return states;
  }

  [[nodiscard]] Result<std::vector<VolumeState>> discover() override {
    const auto mappings = Mappings::read(options_.blocks);
    ZKV_TRY(const auto mounts, LuksMounts::read(options_));
    std::vector<VolumeState> states;
    for (const auto& mapping : mappings.all()) {
      if (mapping.is_luks()) states.push_back(state_of({mapping.name, {}}, mappings, mounts));
    }
    for (const auto& device : find_luks_devices(options_.blocks, options_.devices)) {
      if (mappings.luks_on(device.path) != nullptr) continue;
      states.push_back({"UUID=" + device.uuid, Presence::kPresent, false, false, {}, device.path});
    }
    return states;
  }

  [[nodiscard]] std::vector<Outcome> open(std::span<const Volume> volumes, Attempt attempt,
                                          const std::stop_token& stop) override {
    std::vector<Outcome> outcomes;
    if (volumes.empty()) return outcomes;
    const auto library = CryptLibrary::load(options_.libraries);
    if (!library) {
      for (const auto& volume : volumes) outcomes.push_back(told(volume, Happened::kFailed, library.error()));
      return outcomes;
    }
    const auto mappings = Mappings::read(options_.blocks);
    std::vector<Work> works;
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < volumes.size(); ++i) {
      Candidate candidate;
      auto settled = look_at(volumes[i], attempt, *library, mappings, candidate);
      outcomes.push_back(settled ? std::move(*settled) : told(volumes[i], Happened::kInterrupted));
      if (settled) continue;
      works.push_back(work_for(*library, volumes[i], attempt, candidate));
      places.push_back(i);
    }
    const auto worked = work_in_children(works, bounds_of_machine(options_.limit), stop);
    for (std::size_t i = 0; i < works.size(); ++i) {
      outcomes[places[i]] = outcome_of_work(volumes[places[i]], worked[i], attempt);
    }
    return outcomes;
  }

  [[nodiscard]] std::vector<Outcome> close(const std::vector<std::string>& names,
                                           const std::stop_token& stop) override {
    std::vector<Outcome> outcomes;
    for (const auto& name : names) {
      outcomes.push_back(stop.stop_requested() ? closed_mapping(name, Happened::kInterrupted)
                                               : close_one(name));
    }
    return outcomes;
  }

  [[nodiscard]] Result<std::vector<MountOutcome>> mount(const std::vector<VolumeRef>& volumes,
                                                        const std::stop_token& stop) override {
    std::vector<MountOutcome> outcomes;
    if (volumes.empty()) return outcomes;
    const auto mappings = Mappings::read(options_.blocks);
    ZKV_TRY(const auto mounts, LuksMounts::read(options_));
    for (const auto& volume : volumes) {
      const Mapping* mapping = mappings.find(volume.name);
      if (mapping == nullptr) continue;
      if (stop.stop_requested()) {
        outcomes.push_back({volume.name, volume.name, {}, MountHappened::kInterrupted, {}});
        continue;
      }
      const auto of_volume = mounts.mount(volume, *mapping);
      outcomes.insert(outcomes.end(), of_volume.begin(), of_volume.end());
    }
    return outcomes;
  }

  [[nodiscard]] Result<std::vector<MountOutcome>> unmount(const std::vector<std::string>& names,
                                                          const std::stop_token& stop) override {
    std::vector<MountOutcome> outcomes;
    if (names.empty()) return outcomes;
    const auto mappings = Mappings::read(options_.blocks);
    ZKV_TRY(const auto mounts, LuksMounts::read(options_));
    for (const auto& name : names) {
      const Mapping* mapping = mappings.find(name);
      if (mapping == nullptr || !mapping->is_luks() || stop.stop_requested()) continue;
      const auto of_volume = mounts.unmount(*mapping);
      outcomes.insert(outcomes.end(), of_volume.begin(), of_volume.end());
    }
    return outcomes;
  }

 private:
  [[nodiscard]] VolumeState state_of(const VolumeRef& volume, const Mappings& mappings,
                                     const LuksMounts& mounts) const {
    VolumeState state{volume.name, Presence::kMissing, false, false, {}, {}};
    const auto device = find_device(volume.settings.device, options_.devices);
    if (device) {
      state.presence = Presence::kPresent;
      state.device = *device;
    }
    const Mapping* mapping = mappings.find(volume.name);
    if (mapping == nullptr || !mapping->is_luks()) return state;
    if (device && !mappings.lies_on(*mapping, *device)) return state;
    state.presence = Presence::kPresent;
    state.is_open = true;
    if (!device && !mapping->devices.empty()) state.device = options_.devices / mapping->devices.front();
    const auto places = mounts.places_of(*mapping);
    state.is_mounted = !places.empty();
    if (state.is_mounted) state.mountpoint = places.front();
    return state;
  }

  /// Fills `candidate`, or gives the outcome where there is nothing to try.
  [[nodiscard]] std::optional<Outcome> look_at(const Volume& volume, Attempt attempt,
                                               const CryptLibrary& library, const Mappings& mappings,
                                               Candidate& candidate) const {
    if (auto sound = check_mapping_name(volume.name); !sound)
      return told(volume, Happened::kFailed, sound.error());
    auto wishes = parse_luks_options(volume.settings.options);
    if (!wishes) return told(volume, Happened::kFailed, wishes.error());
    const auto device = find_device(volume.settings.device, options_.devices);
    if (!device) return told(volume, Happened::kMissing, device.error());
    if (attempt == Attempt::kOpen) {
      if (auto settled = settled_by_mappings(volume, *device, mappings)) return settled;
    }
    candidate.device = {*device, wishes->header};
    candidate.wishes = std::move(*wishes);
    const auto header = library.read_header(candidate.device);
    if (!header) {
      const bool is_no_luks = header.error().kind() == ErrorKind::kNotFound;
      return told(volume, is_no_luks ? Happened::kNotAVolume : Happened::kFailed, header.error());
    }
    candidate.memory = header->derivation_memory;
    return std::nullopt;
  }

  [[nodiscard]] static Work work_for(const CryptLibrary& library, const Volume& volume, Attempt attempt,
                                     const Candidate& candidate) {
    const CryptLibrary::Activation activation{attempt == Attempt::kTrial ? std::string() : volume.name,
                                              volume.key, candidate.wishes.key_slot,
                                              candidate.wishes.activation};
    return {candidate.memory, [&library, device = candidate.device, activation] {
              return library.activate(device, activation);
            }};
  }

  [[nodiscard]] Outcome close_one(const std::string& name) const {
    const auto mappings = Mappings::read(options_.blocks);
    const Mapping* mapping = mappings.find(name);
    if (mapping == nullptr) return closed_mapping(name, Happened::kAlreadyClosed);
    if (!mapping->is_luks()) {
      return closed_mapping(name, Happened::kNotAVolume, "the mapping " + name + " is not of LUKS");
    }
    const auto library = CryptLibrary::load(options_.libraries);
    if (!library) return closed_mapping(name, Happened::kFailed, library.error().message());
    const auto ended = library->deactivate(name);
    if (ended) return closed_mapping(name, Happened::kClosed);
    if (ended.error().kind() == ErrorKind::kNotFound) return closed_mapping(name, Happened::kAlreadyClosed);
    if (ended.error().kind() != ErrorKind::kConflict) {
      return closed_mapping(name, Happened::kFailed, ended.error().message(), ended.error().remedy());
    }
    const auto mounts = LuksMounts::read(options_);
    const auto users = mounts ? users_of(*mapping, *mounts) : std::string();
    return closed_mapping(name, Happened::kFailed, "the mapping " + name + " is in use" + users,
                          "see who uses it (fuser -vm /dev/mapper/" + name + "), end that, and try again");
  }

  LuksOptions options_;
};

}  // namespace

std::unique_ptr<Unlocker> make_luks_unlocker(LuksOptions options) {
  return std::make_unique<LuksUnlocker>(std::move(options));
}

}  // namespace zkv::unlock
