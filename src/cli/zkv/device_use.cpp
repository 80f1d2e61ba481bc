// Devices by what they are: each has many names.
#include "device_use.h"

#include <sys/stat.h>

#include <optional>

#include "unlock/block_devices.h"
#include "unlock/mount_table.h"
#include "unlock/option_words.h"

namespace zkv::cli {

namespace {

using repository::VolumeKeys;
using repository::VolumeKind;
using repository::VolumeSettings;

std::string header_of(const VolumeSettings& settings) {
  constexpr std::string_view kHeader = "header=";
  for (const auto word : unlock::option_words(settings.options)) {
    if (word.starts_with(kHeader)) return std::string(word.substr(kHeader.size()));
  }
  return {};
}

/// What a path leads to, whatever it is called: a disk by its number, an image by its inode.
struct Identity {
  bool is_device = false;
  dev_t number = 0;  ///< of the device, or of the filesystem that the image lies on
  ino_t inode = 0;

  bool operator==(const Identity&) const = default;
};

/// Nothing where it is not there.
std::optional<Identity> identity_of(const std::string& name) {
  const auto found = unlock::find_device(name, "/dev");
  struct stat info {};
  if (!found || ::stat(found->c_str(), &info) != 0) return std::nullopt;
  if (S_ISBLK(info.st_mode)) return Identity{true, info.st_rdev, 0};
  return Identity{false, info.st_dev, info.st_ino};
}

bool has_header_of_its_own(VolumeKind kind) {
  return kind != VolumeKind::kPlain && kind != VolumeKind::kTcrypt;
}

bool is_of_dm_crypt(VolumeKind kind) {
  return kind != VolumeKind::kZfs && kind != VolumeKind::kCommand && kind != VolumeKind::kSecret;
}

}  // namespace

Result<> check_lasts(const std::string& device) {
  const auto found = unlock::find_device(device, "/dev");
  if (!found) return {};
  const auto file = unlock::file_of_loop(*found, "/sys/class/block");
  if (file.empty()) return {};
  return Error::invalid(device + " is the file " + file.string() +
                        " by a loop device, which the next boot does not have")
      .remedy("name the file: --device " + file.string());
}

Result<> check_unused(const VolumeKeys& keys, const std::string& device) {
  const auto device_found = identity_of(device);
  if (!device_found) return {};  // What is wrong with it is said by who makes the volume.
  for (const auto& volume : keys.volumes()) {
    for (const auto& name : {volume.settings.device, header_of(volume.settings)}) {
      if (identity_of(name) != device_found) continue;
      return Error::exists(device + " is what " + volume.name +
                           " lies on, though it may look empty (nothing was done)")
          .remedy("if " + volume.name + " is not needed any more: zkv volume remove --force " + volume.name);
    }
  }
  return {};
}

Result<> check_its_own(const VolumeKeys& keys, const unlock::VolumeRef& volume, VolumeKind kind) {
  const auto device = identity_of(volume.settings.device);
  if (!device || !is_of_dm_crypt(kind)) return {};
  for (const auto& other : keys.volumes()) {
    if (other.name == volume.name || !is_of_dm_crypt(other.kind)) continue;
    if (identity_of(other.settings.device) != device) continue;
    const bool is_other_part = has_header_of_its_own(kind)
                                   ? header_of(other.settings) != header_of(volume.settings)
                                   : other.settings.options != volume.settings.options;
    if (is_other_part) continue;
    return Error::exists(volume.settings.device + " is what " + other.name + " lies on; nothing was stored")
        .remedy("a volume has one name: if it is to be this one: zkv volume rename " + other.name + " " +
                volume.name + "; if it is to have another key: zkv volume add --force " + other.name);
  }
  return {};
}

Result<> check_place_its_own(const VolumeKeys& keys, const unlock::VolumeRef& volume) {
  const auto& place = volume.settings.mountpoint;
  if (place.empty()) return {};
  for (const auto& other : keys.volumes()) {
    const auto& taken = other.settings.mountpoint;
    if (other.name == volume.name || taken.empty() || unlock::clean_path(taken) != unlock::clean_path(place))
      continue;
    return Error::exists(place + " is where " + other.name + " belongs; nothing was stored")
        .remedy("choose another path, or change that of " + other.name +
                ": zkv volume add --force --keep-key --mount-point PATH " + other.name);
  }
  return {};
}

}  // namespace zkv::cli
