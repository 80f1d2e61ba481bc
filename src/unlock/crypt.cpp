// The unlocker of every dm-crypt kind: what is there, what is open, and closing it.
#include "unlock/crypt_kind.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "unlock/backing.h"
#include "unlock/block_devices.h"
#include "unlock/crypt_close.h"
#include "unlock/crypt_mount.h"
#include "unlock/crypt_open.h"
#include "unlock/crypt_options.h"
#include "unlock/fstab_places.h"
#include "unlock/layers.h"
#include "unlock/luks_change.h"
#include "unlock/luks_create.h"
#include "unlock/luks_marks.h"
#include "unlock/mappings.h"
#include "unlock/mount_place.h"
#include "unlock/mount_table.h"
#include "unlock/mount_unit.h"

namespace zkv::unlock {

namespace {

constexpr std::string_view kByUuid = "UUID=";

struct Opened {
  const VolumeRef* volume;
  const Mapping* mapping;
  bool is_read_only;
};

class CryptUnlocker final : public Unlocker {
 public:
  CryptUnlocker(const CryptKind& kind, CryptOptions options)
      : kind_(kind), name_(to_text(kind.kind)), options_(std::move(options)) {}

  [[nodiscard]] repository::VolumeKind kind() const override { return kind_.kind; }
  [[nodiscard]] std::string_view name() const override { return name_; }

  [[nodiscard]] std::string_view family() const override { return "dm-crypt"; }

  [[nodiscard]] Result<> check(const VolumeRef& volume) const override {
    ZKV_CHECK(check_mapping_name(volume.name));
    ZKV_CHECK(check_device_name(volume.settings.device));
    const auto& mountpoint = volume.settings.mountpoint;
    if (!mountpoint.empty()) {
      ZKV_CHECK(check_mount_place(mountpoint));
      ZKV_CHECK(check_way_to(mountpoint));
    }
    if (!volume.settings.program.empty()) {
      return Error::invalid("a volume of kind " + name_ + " is opened by no program");
    }
    ZKV_TRY(const auto wishes, parse_crypt_options(kind_, volume.settings.options));
    if (!wishes.takes_any_content || mountpoint.empty()) return {};
    return Error::invalid(
        "what nobody looked at is not mounted: check=none and a mount point do not go together");
  }

  [[nodiscard]] Result<std::vector<VolumeState>> inspect(const std::vector<VolumeRef>& volumes) override {
    std::vector<VolumeState> states;
    if (volumes.empty()) return states;
    const auto mappings = Mappings::read(options_.blocks);
    ZKV_TRY(const auto mounts, CryptMounts::read(options_));
    for (const auto& volume : volumes) states.push_back(state_of(volume, mappings, mounts));
    return states;
  }

  [[nodiscard]] Result<std::vector<VolumeState>> discover() override {
    const auto mappings = Mappings::read(options_.blocks);
    ZKV_TRY(const auto mounts, CryptMounts::read(options_));
    std::vector<VolumeState> states;
    for (const auto& mapping : mappings.all()) {
      if (is_of_kind(mapping) && !mappings.is_layer(mapping))
        states.push_back(state_of({mapping.name, {}}, mappings, mounts));
    }
    if (kind_.format == CryptFormat::kLuks) add_closed(states, mappings);
    return states;
  }

  [[nodiscard]] Result<std::vector<Survey>> survey(const std::vector<VolumeRef>& volumes) override {
    ZKV_TRY(const auto maybe, places_of_missing_devices(options_, volumes));
    std::vector<Survey> surveys;
    surveys.reserve(volumes.size());
    for (const auto& volume : volumes) surveys.push_back(survey_of(volume, maybe));
    return surveys;
  }

  [[nodiscard]] std::vector<Fingerprint> fingerprints(const std::vector<VolumeRef>& volumes) override {
    if (kind_.format != CryptFormat::kLuks) return Unlocker::fingerprints(volumes);
    std::vector<Fingerprint> all;
    all.reserve(volumes.size());
    for (const auto& volume : volumes) all.push_back(fingerprint_of(volume));
    return all;
  }

  [[nodiscard]] std::vector<Outcome> open(std::span<const Volume> volumes, Attempt attempt,
                                          const std::stop_token& stop) override {
    auto outcomes = open_crypt(volumes, attempt, options_, stop);
    if (attempt == Attempt::kOpen) end_questions(outcomes);
    return outcomes;
  }

  [[nodiscard]] std::size_t new_key_size() const override {
    return kind_.format == CryptFormat::kLuks ? kNewLuksKeySize : 0;
  }

  [[nodiscard]] Result<> create(const NewVolume& volume) override {
    if (kind_.format != CryptFormat::kLuks) return Unlocker::create(volume);
    ZKV_CHECK(check_new_luks(volume));
    ZKV_CHECK(format_luks(volume, options_));
    const Volume made{volume.name, kind_.kind, volume.key, {}, volume.settings};
    const auto outcome = open(std::span(&made, 1), Attempt::kOpen, {}).front();
    if (!is_success(outcome.happened)) return Error::io(outcome.detail).remedy(outcome.remedy);
    if (volume.filesystem.empty()) return {};
    return make_filesystem(volume.filesystem, options_.devices / "mapper" / volume.name);
  }

  [[nodiscard]] Result<> check_change(const VolumeRef& volume) const override {
    if (kind_.format != CryptFormat::kLuks) return Unlocker::check_change(volume);
    return check_luks_change(kind_, volume);
  }

  [[nodiscard]] Result<> give_key(const Volume& volume, std::span<const std::uint8_t> key) override {
    if (kind_.format != CryptFormat::kLuks) return Unlocker::give_key(volume, key);
    return give_luks_key(kind_, volume, key, options_);
  }

  [[nodiscard]] Result<> take_key(const Volume& volume, std::span<const std::uint8_t> key) override {
    if (kind_.format != CryptFormat::kLuks) return Unlocker::take_key(volume, key);
    return take_luks_key(kind_, volume, key, options_);
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

  [[nodiscard]] Result<std::vector<MountOutcome>> mount_unheld(const std::vector<VolumeRef>& volumes,
                                                               const std::vector<std::string>& held,
                                                               const std::stop_token& stop) override {
    std::vector<MountOutcome> outcomes;
    if (volumes.empty()) return outcomes;
    const auto mappings = Mappings::read(options_.blocks);
    ZKV_TRY(const auto mounts, CryptMounts::read(options_));
    std::vector<Opened> open;
    for (const auto& volume : volumes) {
      const Mapping* mapping = mappings.find(volume.name);
      if (mapping == nullptr) continue;
      if (const auto own = check_own(volume, *mapping, mappings); !own) {
        outcomes.push_back({volume.name, volume.name, {}, MountHappened::kFailed, own.error().message()});
        continue;
      }
      const auto wishes = parse_crypt_options(kind_, volume.settings.options);
      if (wishes && wishes->takes_any_content) continue;
      open.push_back({&volume, mapping, wishes && wishes->is_read_only});
    }
    const auto waiting = bring_up(open, mounts, stop);
    outcomes.insert(outcomes.end(), waiting.begin(), waiting.end());
    std::vector<OpenVolume> tops;
    for (const auto& [volume, mapping, is_read_only] : open) add_tops(*volume, *mapping, is_read_only, tops);
    const auto mounted = mounts.mount(tops, held, stop);
    outcomes.insert(outcomes.end(), mounted.begin(), mounted.end());
    return outcomes;
  }

  [[nodiscard]] std::vector<MountOutcome> contradictions(const std::vector<VolumeRef>& volumes) override {
    const auto mappings = Mappings::read(options_.blocks);
    const auto mounts = CryptMounts::read(options_);
    return mounts ? mounts->contradictions(own_mappings(volumes, mappings)) : std::vector<MountOutcome>();
  }

  /// What is not the volume's own is left alone here, and told when it is to be closed.
  [[nodiscard]] Result<std::vector<MountOutcome>> unmount(const std::vector<VolumeRef>& volumes,
                                                          const std::stop_token& stop) override {
    if (volumes.empty()) return std::vector<MountOutcome>();
    const auto mappings = Mappings::read(options_.blocks);
    ZKV_TRY(const auto mounts, CryptMounts::read(options_));
    return mounts.unmount(own_mappings(volumes, mappings), stop);
  }

 private:
  void end_questions(const std::vector<Outcome>& outcomes) const {
    const auto& asked = options_.in_crypttab;
    for (const auto& outcome : outcomes) {
      const bool is_asked = std::find(asked.begin(), asked.end(), outcome.volume) != asked.end();
      if (!is_asked || !is_success(outcome.happened)) continue;
      static_cast<void>(restart_if("systemd-cryptsetup@" + unit_name_of("/" + outcome.volume) + ".service",
                                   {"activating"}, options_.manager));
    }
  }

  /// Those of the volumes that are open.
  [[nodiscard]] std::vector<OpenVolume> own_mappings(const std::vector<VolumeRef>& volumes,
                                                     const Mappings& mappings) const {
    std::vector<OpenVolume> open;
    for (const auto& volume : volumes) {
      const Mapping* mapping = mappings.find(volume.name);
      if (mapping != nullptr && check_own_or_twin(volume, *mapping, mappings))
        add_tops(volume, *mapping, false, open);
    }
    return open;
  }

  void add_tops(const VolumeRef& volume, const Mapping& mapping, bool is_read_only,
                std::vector<OpenVolume>& open) const {
    const auto tops = tops_of(mapping, options_);
    for (const auto& top : tops) {
      open.push_back({volume, top, is_read_only, tops.size() > 1,
                      is_of_others(volume.settings.device, top.node, options_)});
    }
  }

  /// Brings up the groups that those of `open` are parts of on which nothing lies yet, and takes those whose
  /// group cannot come up yet out of `open`. What is said of them.
  [[nodiscard]] std::vector<MountOutcome> bring_up(std::vector<Opened>& open, const CryptMounts& mounts,
                                                   const std::stop_token& stop) const {
    std::vector<std::string> bare;
    for (const auto& one : open) {
      const auto self = itself(*one.mapping, options_);
      if (one.mapping->holders.empty() && mounts.places_of(self).empty()) bare.push_back(self.path);
    }
    const auto failed = activate_groups(bare, options_, stop);
    std::vector<MountOutcome> outcomes;
    std::erase_if(open, [&](const Opened& one) {
      const auto device = itself(*one.mapping, options_).path;
      const auto found = failed.find(device);
      if (found == failed.end()) return false;
      outcomes.push_back({device, one.volume->name, {}, MountHappened::kFailed, found->second.message()});
      return true;
    });
    return outcomes;
  }

  [[nodiscard]] bool is_of_kind(const Mapping& mapping) const {
    return mapping.uuid.starts_with(kind_.mapping_prefix);
  }

  [[nodiscard]] Fingerprint fingerprint_of(const VolumeRef& volume) const {
    Fingerprint fingerprint{volume.name};
    const auto wishes = parse_crypt_options(kind_, volume.settings.options);
    const auto device = find_device(volume.settings.device, options_.devices);
    if (!wishes || (!device && wishes->header.empty())) return fingerprint;
    const auto header = wishes->header.empty() ? *device : wishes->header;
    auto marks = luks_marks(header, wishes->is_volume_key ? LuksWay::kVolumeKey : LuksWay::kAnySlot);
    if (marks) fingerprint.marks = std::move(*marks);
    if (!marks) fingerprint.unseen = marks.error().message();
    if (wishes->key_slot) only_slot(*wishes->key_slot, fingerprint.marks);
    return fingerprint;
  }

  /// `maybe` is where fstab wants filesystems that nobody sees yet.
  [[nodiscard]] Survey survey_of(const VolumeRef& volume, const std::vector<std::string>& maybe) const {
    const auto& settings = volume.settings;
    Survey survey{volume.name};
    std::vector<std::string> paths{settings.device};
    if (const auto wishes = parse_crypt_options(kind_, settings.options)) {
      paths.push_back(wishes->header);
      paths.insert(paths.end(), wishes->tcrypt.key_files.begin(), wishes->tcrypt.key_files.end());
    }
    for (const auto& path : paths) {
      if (path.starts_with('/')) survey.needs.push_back(clean_path(path));
    }
    for (const auto& below : mappings_under(settings.device, options_.devices, options_.blocks)) {
      if (below != volume.name) survey.needs.push_back(options_.devices / "mapper" / below);
    }
    if (!find_device(settings.device, options_.devices)) survey.readiness = Survey::Readiness::kAwaited;
    survey.devices = {options_.devices / "mapper" / volume.name};
    if (!settings.mountpoint.empty()) {
      survey.places = {clean_path(settings.mountpoint)};
      return survey;
    }
    survey.maybe_places = maybe;
    if (auto by_path = places_of_path(options_, survey.devices.front())) survey.places = std::move(*by_path);
    return survey;
  }

  void add_closed(std::vector<VolumeState>& states, const Mappings& mappings) const {
    for (const auto& device : find_luks_devices(options_.blocks, options_.devices)) {
      if (mappings.of_cryptsetup_on(device.path) != nullptr) continue;
      states.push_back({"UUID=" + device.uuid, Presence::kPresent, false, false, {}, device.path});
    }
  }

  /// Whether the mapping of the volume's name is the volume, as far as its device is known. Errors:
  /// kUnsupported (not of this kind), kConflict (another device's).
  [[nodiscard]] Result<> check_own(const VolumeRef& volume, const Mapping& mapping,
                                   const Mappings& mappings) const {
    if (!is_of_kind(mapping)) {
      return Error::unsupported("the mapping " + mapping.name + " is not of kind " + name_);
    }
    const auto device = find_device(volume.settings.device, options_.devices);
    if (!device || mappings.lies_on(mapping, *device)) return {};
    return Error::conflict("the mapping " + mapping.name + " belongs to another device" +
                           (mapping.devices.empty() ? std::string() : " (" + mapping.devices.front() + ")") +
                           ", not to " + device->string())
        .remedy("cryptsetup status " + mapping.name);
  }

  /// The same of what is open, and to be closed: of two devices with one UUID, a copy say, either is meant by
  /// it, whichever udev names now.
  [[nodiscard]] Result<> check_own_or_twin(const VolumeRef& volume, const Mapping& mapping,
                                           const Mappings& mappings) const {
    auto own = check_own(volume, mapping, mappings);
    const auto& device = volume.settings.device;
    if (own || own.error().kind() != ErrorKind::kConflict || !device.starts_with(kByUuid)) return own;
    std::string uuid = device.substr(kByUuid.size());
    std::erase(uuid, '-');
    const bool has_uuid =
        mapping.uuid.starts_with("CRYPT-LUKS") && mapping.uuid.find("-" + uuid + "-") != std::string::npos;
    return has_uuid ? Result<>() : own;
  }

  [[nodiscard]] VolumeState state_of(const VolumeRef& volume, const Mappings& mappings,
                                     const CryptMounts& mounts) const {
    VolumeState state{volume.name, Presence::kMissing, false, false, {}, {}};
    const auto device = find_device(volume.settings.device, options_.devices);
    if (device) {
      state.presence = Presence::kPresent;
      state.device = *device;
    }
    const Mapping* mapping = mappings.find(volume.name);
    if (mapping == nullptr || !check_own_or_twin(volume, *mapping, mappings)) return state;
    state.presence = Presence::kPresent;
    state.is_open = true;
    if (!device && !mapping->devices.empty()) state.device = options_.devices / mapping->devices.front();
    for (const auto& top : tops_of(*mapping, options_)) {
      const auto places = mounts.places_of(top);
      if (places.empty() || state.is_mounted) continue;
      state.is_mounted = true;
      state.mountpoint = places.front();
    }
    return state;
  }

  [[nodiscard]] Outcome close_one(const VolumeRef& volume) const {
    const auto& name = volume.name;
    const auto mappings = Mappings::read(options_.blocks);
    const Mapping* mapping = mappings.find(name);
    if (mapping == nullptr) return closed_mapping(name, Happened::kAlreadyClosed);
    if (const auto own = check_own_or_twin(volume, *mapping, mappings); !own) {
      const bool is_other_kind = own.error().kind() == ErrorKind::kUnsupported;
      return closed_mapping(name, is_other_kind ? Happened::kNotAVolume : Happened::kFailed,
                            own.error().message(), own.error().remedy());
    }
    return close_mapping(*mapping, options_);
  }

  const CryptKind& kind_;
  std::string name_;
  CryptOptions options_;
};

}  // namespace

std::unique_ptr<Unlocker> make_crypt_unlocker(const CryptKind& kind, CryptOptions options) {
  return std::make_unique<CryptUnlocker>(kind, std::move(options));
}

}  // namespace zkv::unlock
