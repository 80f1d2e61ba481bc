// `zkv volume create`: a new encrypted volume under a key that no person ever sees.
#include <fmt/format.h>

#include <array>
#include <memory>

#include "crypto/random.h"
#include "device_use.h"
#include "host/unlock_record.h"
#include "key_input.h"
#include "repository/change.h"
#include "stored_volumes.h"
#include "unlock/block_devices.h"
#include "unlock/luks_marks.h"
#include "unlock/registry.h"
#include "volume_commands.h"

namespace zkv::cli {

namespace {

using repository::VolumeKeys;

struct VolumeCreateOptions {
  KeyOptions key;
  std::string kind;
  unlock::NewVolume volume;
};

/// A random one. Source: RFC 9562, 5.4.
std::string new_uuid() {
  std::array<std::uint8_t, 16> bytes{};
  crypto::fill_random(bytes);
  bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0fU) | 0x40U);
  bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3fU) | 0x80U);
  std::string text = to_hex(bytes);
  for (const std::size_t place : {20U, 16U, 12U, 8U}) text.insert(place, 1, '-');
  return text;
}

/// By what it is found at each boot: an image file by its path, since a loop device is gone by then, a disk
/// by the UUID that its header gets.
Result<std::string> lasting_name_of(const std::string& place) {
  ZKV_TRY(const auto device, unlock::find_device(place, "/dev"));
  std::error_code failed;
  if (std::filesystem::is_regular_file(device, failed)) return device.string();
  const auto file = unlock::file_of_loop(device, "/sys/class/block");
  return file.empty() ? "UUID=" + new_uuid() : file.string();
}

std::string kind_to_make(const VolumeCreateOptions& options) {
  if (!options.kind.empty()) return options.kind;
  return options.volume.place.empty() ? "zfs" : "luks";
}

/// Whether it came into being though its making ended with an error: unmounted, or without its filesystem.
bool is_there(unlock::Unlocker& unlocker, const unlock::NewVolume& volume) {
  const auto& device = volume.settings.device;
  if (device.starts_with('/')) return unlock::luks_marks(device, unlock::LuksWay::kVolumeKey).has_value();
  const auto states = unlocker.inspect({{volume.name, volume.settings}});
  return !states || states->front().presence == unlock::Presence::kPresent;
}

/// What is there already has another key than the one that is made for it.
Result<> check_new(unlock::Unlocker& unlocker, const unlock::NewVolume& volume) {
  if (volume.settings.device.starts_with('/')) return {};  // the file is; that it holds nothing is seen later
  const auto states = unlocker.inspect({{volume.name, volume.settings}});
  if (!states || states->front().presence != unlock::Presence::kPresent) return {};
  return Error::exists(volume.name + " is there already")
      .remedy("put its key in: zkv volume add " + volume.name);
}

/// Its key goes only where there is nothing that it opens.
Error not_made(const Session& session, const SecretBytes& key, unlock::Unlocker& unlocker,
               const unlock::NewVolume& volume, Error why) {
  // What holds something already was not touched.
  if (why.kind() != ErrorKind::kExists && is_there(unlocker, volume)) {
    return std::move(why).context(volume.name + " is there, and its key stays in the repository");
  }
  const auto taken_back =
      edit_volumes(session, key, [&](VolumeKeys& keys) { return keys.remove(volume.name); });
  if (taken_back) return why;
  return std::move(why).context("its key is still in the repository (zkv volume remove --force " +
                                volume.name + ")");
}

Result<> create_volume(Session& session, VolumeCreateOptions& options) {
  auto& volume = options.volume;
  ZKV_TRY(const auto unlocker, unlocker_named(kind_to_make(options)));
  if (unlocker->new_key_size() == 0) return unlocker->create(volume);
  if (!volume.place.empty()) {
    ZKV_TRY(volume.settings.device, lasting_name_of(volume.place));
  }
  ZKV_CHECK(unlocker->check({volume.name, volume.settings}));
  ZKV_CHECK(check_there(session));
  ZKV_TRY(const auto key, read_repository_key(session, options.key));
  ZKV_CHECK(check_new(*unlocker, volume));
  if (!volume.place.empty()) {
    ZKV_TRY(const auto opened, open_with_warning(session, key));
    ZKV_CHECK(check_unused(opened.keys, volume.place));
  }
  const auto volume_key = crypto::random_volume_key(unlocker->new_key_size());
  volume.key = volume_key.span();
  // Before there is a volume that needs it, so that none ever lacks its key.
  ZKV_CHECK(store_volume(session, key, {volume.name, unlocker->kind(), volume.key, {}, volume.settings}));
  if (auto made = unlocker->create(volume); !made) {
    return not_made(session, key, *unlocker, volume, std::move(made).error());
  }
  const unlock::Outcome opened{volume.name, unlock::Happened::kOpened, {}, {}, {}};
  if (const auto kept = host::enter_into_record(host::default_record_path(), unlocker->name(),
                                                {{opened, volume.settings}}, now());
      !kept) {
    report(kept.error());
  }
  keep_proof(session, *unlocker, {volume.name, volume.settings});
  Output out;
  out << fmt::format("Made {} ({}); its key is in {} and nowhere else\n", volume.name, unlocker->name(),
                     session.repository.string());
  ZKV_TRY(const auto mounts, unlocker->mount({{volume.name, volume.settings}}, {}));
  for (const auto& mount : mounts) {
    if (!unlock::is_success(mount.happened)) return Error::io(mount.filesystem + ": " + mount.detail);
    if (mount.happened == unlock::MountHappened::kSkipped) {
      out << "It is not mounted: " << mount.detail << "\n";
    } else if (mount.mountpoint.starts_with('/')) {
      out << "It is mounted at " << mount.mountpoint << "\n";
    }
  }
  return out.write();
}

}  // namespace

void add_volume_create(CLI::App& app, Session& session) {
  auto* command = app.add_subcommand("create", "make a new volume, under a key that no person ever sees");
  const auto options = std::make_shared<VolumeCreateOptions>();
  auto& volume = options->volume;
  add_key_options(*command, options->key);
  command->add_option("--kind", options->kind, "zfs or luks (default: luks with --device, else zfs)")
      ->check(CLI::IsMember({"zfs", "luks"}))
      ->type_name("");
  command->add_option("--device", volume.place, "luks: what it is made on; it must hold nothing yet")
      ->type_name("DEVICE");
  command->add_option("--filesystem", volume.filesystem, "luks: make this on it, such as ext4")
      ->type_name("TYPE");
  command->add_option("--mount-point", volume.settings.mountpoint, "luks: where that is mounted")
      ->type_name("PATH");
  command->add_option("--options", volume.settings.options, "luks: as in crypttab, such as discard")
      ->type_name("WORDS");
  command
      ->add_option("-o,--property", volume.properties, "zfs: as for zfs create; may be given several times")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
  command->add_option("--size", volume.size, "zfs: make a block device of this size, such as 10G")
      ->type_name("SIZE");
  command->add_option("NAME", volume.name, "a filesystem's name, or that of a mapping to be")->required();
  command->callback([&session, options] { session.exit_code = finish(create_volume(session, *options)); });
}

}  // namespace zkv::cli
