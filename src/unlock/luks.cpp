// The LUKS unlocker: what is there, what is open, and closing it.
#include "unlock/luks.h"

#include "unlock/block_devices.h"
#include "unlock/crypt_library.h"
#include "unlock/luks_mount.h"
#include "unlock/luks_open.h"
#include "unlock/luks_options.h"
#include "unlock/mappings.h"

namespace zkv::unlock {

namespace {

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
    return open_luks(volumes, attempt, options_, stop);
  }

  [[nodiscard]] std::vector<Outcome> close(const std::vector<std::string>& names,
                                           const std::stop_token& stop) override {
    std::vector<Outcome> outcomes;
    outcomes.reserve(names.size());
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
