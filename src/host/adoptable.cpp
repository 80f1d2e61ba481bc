// Unlockers say what is there, crypttab how the system uses it.
#include "host/adoptable.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "unlock/block_devices.h"
#include "unlock/crypt_kind.h"
#include "unlock/crypt_options.h"
#include "unlock/crypttab.h"
#include "unlock/order.h"
#include "unlock/system_tool.h"

namespace zkv::host {

namespace {

namespace fs = std::filesystem;
using unlock::CrypttabLine;

constexpr std::string_view kUuid = "UUID=";
constexpr std::size_t kShownOfUuid = 8;

/// All that is to be known of the machine's devices.
struct Devices {
  std::vector<CrypttabLine> crypttab;
  std::vector<unlock::LuksDevice> luks;
  fs::path folder;

  [[nodiscard]] const CrypttabLine* line_of(const std::string& device) const {
    const auto line = std::find_if(crypttab.begin(), crypttab.end(), [&](const CrypttabLine& candidate) {
      const auto found = unlock::find_device(candidate.device, folder);
      return found && *found == device;
    });
    return line == crypttab.end() ? nullptr : &*line;
  }
  [[nodiscard]] std::string uuid_of(const std::string& device) const {
    const auto found = std::find_if(luks.begin(), luks.end(),
                                    [&](const unlock::LuksDevice& one) { return one.path == device; });
    return found == luks.end() ? std::string() : found->uuid;
  }
};

Result<std::vector<CrypttabLine>> read_crypttab(const fs::path& path) {
  const auto text = unlock::read_system_table(path);
  if (!text && text.error().kind() == ErrorKind::kNotFound) return std::vector<CrypttabLine>();
  if (!text) return Error(text.error());
  return unlock::parse_crypttab(*text);
}

/// The kind of a volume that nothing on its device tells; empty where its line does not tell either, or where
/// its header does.
std::string_view kind_told_by(const CrypttabLine& line) {
  for (const std::string_view kind : {"plain", "bitlk", "fvault2", "tcrypt"}) {
    if (unlock::has_option(line, kind)) return kind;
  }
  const bool is_tcrypt = std::any_of(line.options.begin(), line.options.end(), [](const auto& option) {
    return option.starts_with("tcrypt-") || option.starts_with("veracrypt-");
  });
  if (is_tcrypt) return "tcrypt";
  return unlock::has_option(line, "header=") ? "luks" : "";
}

/// A device with a header of its own; nothing where there is no use in keeping its key.
std::optional<Adoptable> of_device(const unlock::VolumeState& state, const Devices& devices) {
  const auto uuid = devices.uuid_of(state.device);
  const CrypttabLine* line = devices.line_of(state.device);
  if (uuid.empty() || state.device.starts_with((devices.folder / "loop").string())) return std::nullopt;
  if (line != nullptr && is_for_one_boot(*line)) return std::nullopt;
  Adoptable volume{.kind = 0, .name = state.name, .settings = {}, .device = state.device, .key_file = {}};
  if (state.name.starts_with(kUuid)) volume.name = "luks-" + uuid.substr(0, kShownOfUuid);
  volume.settings.device = std::string(kUuid) + uuid;
  if (line == nullptr) return volume;
  volume.name = line->name;
  volume.key_file = line->key_file;
  volume.is_in_crypttab = true;
  volume.settings.options = unlock::known_crypt_options(unlock::luks_kind(), line->options);
  return volume;
}

bool is_held(const Adoptable& volume, const std::vector<unlock::VolumeRef>& known, const Devices& devices) {
  return std::any_of(known.begin(), known.end(), [&](const auto& held) {
    if (held.name == volume.name) return true;
    const auto device = unlock::find_device(held.settings.device, devices.folder);
    return device && !volume.device.empty() && *device == volume.device;
  });
}

/// What only crypttab tells of. Errors: those of the unlocker's check, as of a plain volume whose line leaves
/// the cipher to a default, which another version may have changed.
Result<std::optional<Adoptable>> of_line(const CrypttabLine& line, const Unlockers& unlockers,
                                         const Devices& devices) {
  const auto device = unlock::find_device(line.device, devices.folder);
  std::error_code failed;
  // A file shows no header to blkid(8) before it is a loop device; LUKS is what crypttab takes it for.
  const bool is_file = device && fs::is_regular_file(*device, failed) &&
                       !unlock::lies_within(device->string(), devices.folder.string());
  const auto told = kind_told_by(line);
  const auto* kind = unlock::crypt_kind_named(told.empty() && is_file ? std::string_view("luks") : told);
  if (kind == nullptr || !device || is_for_one_boot(line) || asks_us(line)) return std::optional<Adoptable>();
  const auto unlocker = std::find_if(unlockers.begin(), unlockers.end(),
                                     [&](const auto& one) { return one->kind() == kind->kind; });
  if (unlocker == unlockers.end()) return std::optional<Adoptable>();
  Adoptable volume{.kind = static_cast<std::size_t>(unlocker - unlockers.begin()),
                   .name = line.name,
                   .settings = {},
                   .device = *device,
                   .key_file = line.key_file,
                   .is_in_crypttab = true};
  volume.settings.device = line.device;
  volume.settings.options = unlock::known_crypt_options(*kind, line.options);
  ZKV_CHECK((*unlocker)->check({volume.name, volume.settings}));
  return std::optional(std::move(volume));
}

void add_lines(const Unlockers& unlockers, const std::vector<unlock::VolumeRef>& known,
               const Devices& devices, AdoptableVolumes& found) {
  for (const auto& line : devices.crypttab) {
    auto volume = of_line(line, unlockers, devices);
    if (!volume) {
      found.unseen.push_back(std::move(volume).error().context(line.name + " in crypttab"));
    } else if (*volume && !is_held(**volume, known, devices)) {
      found.volumes.push_back(std::move(**volume));
    }
  }
}

}  // namespace

Result<AdoptableVolumes> find_adoptable(const Unlockers& unlockers, const repository::VolumeKeys& known,
                                        const AdoptablePlaces& places) {
  std::vector<unlock::VolumeRef> refs;
  for (const auto& volume : known.volumes()) refs.push_back({volume.name, volume.settings});
  return find_adoptable(unlockers, refs, places);
}

Result<AdoptableVolumes> find_adoptable(const Unlockers& unlockers,
                                        const std::vector<unlock::VolumeRef>& known,
                                        const AdoptablePlaces& places) {
  Devices devices{{}, unlock::find_luks_devices(places.blocks, places.devices), places.devices};
  ZKV_TRY(devices.crypttab, read_crypttab(places.crypttab));
  AdoptableVolumes found;
  for (std::size_t kind = 0; kind < unlockers.size(); ++kind) {
    auto states = unlockers[kind]->discover();
    if (!states) {
      found.unseen.push_back(std::move(states).error().context(unlockers[kind]->name()));
      continue;
    }
    for (const auto& state : *states) {
      auto volume = state.device.empty()
                        ? std::optional(Adoptable{0, state.name, {}, {}, state.key_file, false})
                        : of_device(state, devices);
      if (!volume || is_held(*volume, known, devices)) continue;
      volume->kind = kind;
      found.volumes.push_back(std::move(*volume));
    }
  }
  add_lines(unlockers, known, devices, found);
  return found;
}

}  // namespace zkv::host
