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
    if (!volume.settings.program.empty()) return Error::invalid("a LUKS device is opened by no program");
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

  [[nodiscard]] std::vector<Outcome> close(const std::vector<VolumeRef>& volumes,
                                           const std::stop_token& stop) override {
    std::vector<Outcome> outcomes;
    outcomes.reserve(volumes.size());
    for (const auto& volume : volumes) {
      outcomes.push_back(stop.stop_requested() ? closed_mapping(volume.name, Happened::kInterrupted)
                                               : close_one(volume));
    }
    return outcomes;
  }

  [[nodiscard]] Result<std::vector<MountOutcome>> mount(const std::vector<VolumeRef>& volumes,
                                                        const std::stop_token& stop) override {
    std::vector<MountOutcome> outcomes;
    if (volumes.empty()) return outcomes;
    const auto mappings = Mappings::read(options_.blocks);
    ZKV_TRY(const auto mounts, LuksMounts::read(options_));
    std::vector<OpenVolume> open;
    for (const auto& volume : volumes) {
      const Mapping* mapping = mappings.find(volume.name);
      if (mapping == nullptr) continue;
      if (const auto own = check_own(volume, *mapping, mappings); !own) {
        outcomes.push_back({volume.name, volume.name, {}, MountHappened::kFailed, own.error().message()});
        continue;
      }
      open.push_back({volume, *mapping});
    }
    const auto mounted = mounts.mount(open, stop);
    outcomes.insert(outcomes.end(), mounted.begin(), mounted.end());
    return outcomes;
  }

  /// What is not the volume's own is left alone here, and told when it is to be closed.
  [[nodiscard]] Result<std::vector<MountOutcome>> unmount(const std::vector<VolumeRef>& volumes,
                                                          const std::stop_token& stop) override {
    if (volumes.empty()) return std::vector<MountOutcome>();
    const auto mappings = Mappings::read(options_.blocks);
    ZKV_TRY(const auto mounts, LuksMounts::read(options_));
    std::vector<OpenVolume> open;
    for (const auto& volume : volumes) {
      const Mapping* mapping = mappings.find(volume.name);
      if (mapping != nullptr && check_own(volume, *mapping, mappings)) open.push_back({volume, *mapping});
    }
    return mounts.unmount(open, stop);
  }

 private:
  /// Whether the mapping of the volume's name is the volume, as far as its device is known. Errors:
  /// kUnsupported (not of LUKS), kConflict (another device's).
  [[nodiscard]] Result<> check_own(const VolumeRef& volume, const Mapping& mapping,
                                   const Mappings& mappings) const {
    if (!mapping.is_luks()) return Error::unsupported("the mapping " + mapping.name + " is not of LUKS");
    const auto device = find_device(volume.settings.device, options_.devices);
    if (!device || mappings.lies_on(mapping, *device)) return {};
    return Error::conflict("the mapping " + mapping.name + " belongs to another device" +
                           (mapping.devices.empty() ? std::string() : " (" + mapping.devices.front() + ")") +
                           ", not to " + device->string())
        .remedy("cryptsetup status " + mapping.name);
  }

  [[nodiscard]] VolumeState state_of(const VolumeRef& volume, const Mappings& mappings,
                                     const LuksMounts& mounts) const {
    VolumeState state{volume.name, Presence::kMissing, false, false, {}, {}};
    const auto device = find_device(volume.settings.device, options_.devices);
    if (device) {
      state.presence = Presence::kPresent;
      state.device = *device;
    }
    const Mapping* mapping = mappings.find(volume.name);
    if (mapping == nullptr || !check_own(volume, *mapping, mappings)) return state;
    state.presence = Presence::kPresent;
    state.is_open = true;
    if (!device && !mapping->devices.empty()) state.device = options_.devices / mapping->devices.front();
    const auto places = mounts.places_of(*mapping);
    state.is_mounted = !places.empty();
    if (state.is_mounted) state.mountpoint = places.front();
    return state;
  }

  [[nodiscard]] Outcome close_one(const VolumeRef& volume) const {
    const auto& name = volume.name;
    const auto mappings = Mappings::read(options_.blocks);
    const Mapping* mapping = mappings.find(name);
    if (mapping == nullptr) return closed_mapping(name, Happened::kAlreadyClosed);
    if (const auto own = check_own(volume, *mapping, mappings); !own) {
      const bool is_other_kind = own.error().kind() == ErrorKind::kUnsupported;
      return closed_mapping(name, is_other_kind ? Happened::kNotAVolume : Happened::kFailed,
                            own.error().message(), own.error().remedy());
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
