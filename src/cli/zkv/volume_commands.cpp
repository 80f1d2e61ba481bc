// `zkv volume add|remove`: volumes of every kind, in a repository of version 2.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <span>

#include "device_use.h"
#include "key_input.h"
#include "repository/change.h"
#include "stored_volumes.h"
#include "unlock/option_words.h"
#include "unlock/registry.h"
#include "volume_commands.h"
#include "waiting_service.h"

namespace zkv::cli {

namespace {

using repository::VolumeKeys;
using repository::VolumeSettings;

struct VolumeAddOptions {
  KeyOptions key;
  bool force = false;
  bool no_test = false;
  bool keep_key = false;
  std::string name;
  std::string kind;
  VolumeSettings settings;
  bool has_mountpoint = false;  ///< given, if only as the empty word that takes it away
  bool has_options = false;
  std::string units;    ///< with commas between them
  std::string program;  ///< a whole path, or the name of a loader that zkv brings
  std::filesystem::path volume_key_file;
  std::string encoding = "text";
};

/// The kind that was named; without a name, what has a program is opened by it,
/// what has a device is LUKS, and what is there stays what it is.
std::string wanted_kind(const VolumeAddOptions& options, const VolumeKeys& keys) {
  if (!options.kind.empty()) return options.kind;
  if (!options.settings.program.empty()) return "command";
  if (!options.settings.device.empty()) return "luks";
  for (const auto& volume : keys.volumes()) {
    if (volume.name == options.name) return repository::to_text(volume.kind);
  }
  return "zfs";
}

Result<std::unique_ptr<unlock::Unlocker>> unlocker_of(const VolumeAddOptions& options,
                                                      const VolumeKeys& keys) {
  return unlocker_named(wanted_kind(options, keys));
}

/// One word is the name of a loader that zkv brings.
std::string whole_program(const std::string& program) {
  const bool is_word = !program.empty() && program.find('/') == std::string::npos;
  return is_word ? std::string(unlock::kLoaderFolder) + "/" + program : program;
}

/// "a.service,b.service" as words of the options: "unit=a.service,unit=b.service".
std::string words_of_units(std::string_view units) {
  return fmt::format("{}{}", units.empty() ? "" : "unit=", fmt::join(unlock::option_words(units), ",unit="));
}

/// What was given now, over what was given before.
VolumeSettings merged(const VolumeAddOptions& given, const VolumeKeys& keys) {
  VolumeSettings settings = given.settings;
  for (const auto& volume : keys.volumes()) {
    if (volume.name != given.name) continue;
    if (settings.device.empty()) settings.device = volume.settings.device;
    if (!given.has_mountpoint) settings.mountpoint = volume.settings.mountpoint;
    if (!given.has_options) settings.options = volume.settings.options;
    if (settings.program.empty()) settings.program = volume.settings.program;
  }
  return settings;
}

Result<SecretBytes> key_there(const VolumeKeys& keys, const std::string& name) {
  ZKV_CHECK(keys.check_settled(name));
  for (const auto& volume : keys.volumes()) {
    if (volume.name == name) return SecretBytes::copy_of(volume.key);
  }
  return Error::not_found("there is no volume " + name + " whose key could stay")
      .remedy("'zkv volume list' shows which there are");
}

Error does_not_open(const std::string& name, bool may_lack_an_end) {
  Error error = Error::wrong_key("this key does not open " + name + "; nothing was stored");
  if (!may_lack_an_end) return error;
  return std::move(error).remedy(
      "a key file that is read to its last byte, as cryptsetup does it, wants --encoding raw");
}

/// What became of the trial, in words for the end of a line.
Result<std::string_view> try_key(unlock::Unlocker& unlocker, const VolumeKeys::Volume& volume,
                                 const VolumeAddOptions& options) {
  const auto outcomes = unlocker.open(std::span(&volume, 1), unlock::Attempt::kTrial, {});
  const auto& outcome = outcomes.front();
  if (outcome.happened == unlock::Happened::kUntried) {
    return Error::unsupported(volume.name + ": " + outcome.detail + "; nothing was stored")
        .remedy("if you are sure of the key, store it without trying it: --no-test");
  }
  if (outcome.happened == unlock::Happened::kServed) return std::string_view();
  if (is_success(outcome.happened)) return std::string_view("; its key fits");
  if (outcome.happened == unlock::Happened::kWrongKey) {
    return does_not_open(volume.name, options.encoding == "text" && !options.volume_key_file.empty());
  }
  return Error::invalid(volume.name + ": " + outcome.detail + "; nothing was stored")
      .remedy((outcome.remedy.empty() ? "" : outcome.remedy + "; or ") +
              "store it without trying the key: --no-test");
}

Result<> add_volume(Session& session, const VolumeAddOptions& options) {
  if (!options.force) {
    ZKV_TRY(const auto unlocker, unlocker_of(options, {}));
    ZKV_CHECK(unlocker->check({options.name, options.settings}));
  }
  ZKV_CHECK(check_there(session));
  ZKV_TRY(const auto key, read_key_to_change(session, options.key));
  SecretBytes volume_key;
  if (!options.keep_key) {
    ZKV_TRY(volume_key, read_volume_key(session, {}, options.volume_key_file, options.name,
                                        encoding_of(options.encoding)));
  }
  std::string kind;
  std::string_view trial = ", its key untried";
  VolumeSettings settings;
  std::unique_ptr<unlock::Unlocker> proved;
  const auto add = [&](VolumeKeys& keys) -> Result<> {
    if (options.keep_key) {
      ZKV_TRY(volume_key, key_there(keys, options.name));
    }
    ZKV_TRY(auto unlocker, unlocker_of(options, keys));
    kind = unlocker->name();
    settings = merged(options, keys);
    ZKV_CHECK(unlocker->check({options.name, settings}));
    if (!settings.device.empty()) ZKV_CHECK(check_lasts(settings.device));
    ZKV_CHECK(check_its_own(keys, {options.name, settings}, unlocker->kind()));
    ZKV_CHECK(check_place_its_own(keys, {options.name, settings}));
    if (options.no_test) ZKV_CHECK(keys.check_settled(options.name));
    ZKV_CHECK(keys.add(options.name, unlocker->kind(), volume_key.span(), options.force));
    ZKV_CHECK(keys.set_settings(options.name, settings));
    if (!options.no_test) {
      ZKV_TRY(trial,
              try_key(*unlocker, {options.name, unlocker->kind(), volume_key.span(), {}, settings}, options));
      ZKV_CHECK(unlock::keep_derived(keys, unlocker->take_derived()));
      if (!trial.empty()) proved = std::move(unlocker);
    }
    return {};
  };
  ZKV_CHECK(edit_volumes(session, key, add, options.name));
  if (proved) keep_proof(session, *proved, {options.name, settings});
  Output out;
  out << "Added " << options.name << " (" << kind << ") to " << session.repository.string() << trial << "\n";
  if (options.settings.mountpoint.empty() && !settings.mountpoint.empty()) {
    out << "Its mount point stays " << settings.mountpoint
        << " (another: --mount-point PATH; none, so that fstab says where: --mount-point '')\n";
  }
  const bool is_handed_out = kind == "secret" && settings.mountpoint.empty();
  if (is_handed_out && does_service_run()) {
    out << "Units can have it once zfs-keyvault has asked again: systemctl restart zfs-keyvault\n";
  }
  return out.write();
}

/// What zkv closes no more once it is in no repository; empty where there is nothing.
std::string left_open(const VolumeKeys::Volume& volume) {
  const auto unlocker = unlocker_named(repository::to_text(volume.kind));
  if (!unlocker) return {};
  const auto states = (*unlocker)->inspect({{volume.name, volume.settings}});
  if (!states || !states->front().is_open) return {};
  if (states->front().is_served) return "Units can have it until zfs-keyvault is restarted or stopped\n";
  if (volume.kind == repository::VolumeKind::kSecret) {
    return "Its file stays there until the next boot: shred -u " + volume.settings.mountpoint + "\n";
  }
  return "It stays open until the next boot, and 'zkv lock' leaves it alone from now on\n";
}

Result<> remove_of_any_kind(Session& session, const RemoveOptions& options) {
  std::string left;
  ZKV_CHECK(remove_volume(session, options, [&](const VolumeKeys& keys) -> Result<> {
    ZKV_CHECK(check_not_needed(keys, options));
    for (const auto& volume : keys.volumes()) {
      if (volume.name == options.name) left = left_open(volume);
    }
    return {};
  }));
  Output out;
  return (out << left).write();
}

void add_volume_add(CLI::App& volume, Session& session) {
  auto* command = volume.add_subcommand("add", "add a volume and its key, which is tried first");
  const auto options = std::make_shared<VolumeAddOptions>();
  add_key_options(*command, options->key);
  command
      ->add_option("--kind", options->kind,
                   words_of_kinds() + " (default: command with --program, luks with --device, else zfs)")
      ->type_name("");
  command
      ->add_option("--device", options->settings.device, "where it lies: a path, UUID=…, LABEL=…, PARTUUID=…")
      ->type_name("DEVICE");
  command
      ->add_option("--mount-point", options->settings.mountpoint,
                   "where its filesystem is mounted (default: where fstab says), or a secret's file")
      ->type_name("PATH");
  command->add_option("--options", options->settings.options, "as in crypttab, such as discard,read-only")
      ->type_name("WORDS");
  command
      ->add_option("--units", options->units,
                   "a secret without a file: the units that may have it, with commas (default: all)")
      ->type_name("UNITS")
      ->excludes("--options");
  command
      ->add_option("--program", options->program,
                   "what opens it: a program's whole path, or a loader of zkv: gocryptfs, fscrypt")
      ->type_name("PROGRAM");
  command
      ->add_option("--volume-key-file", options->volume_key_file,
                   "read the volume's key from FILE; '-' is standard input")
      ->type_name("FILE");
  add_encoding_option(*command, options->encoding);
  command->add_flag("--no-test", options->no_test, "store the key without trying it");
  auto* force = command->add_flag("-f,--force", options->force, "give a volume that is there another key");
  command->add_flag("--keep-key", options->keep_key, "change what else is known of it, and ask for no key")
      ->needs(force)
      ->excludes("--volume-key-file");
  command->add_option("NAME", options->name, "a filesystem's name, that of a mapping to be, or any")
      ->required();
  command->callback([&session, command, options] {
    options->has_mountpoint = command->count("--mount-point") > 0;
    options->has_options = command->count("--options") + command->count("--units") > 0;
    if (command->count("--units") > 0) options->settings.options = words_of_units(options->units);
    options->settings.program = whole_program(options->program);
    session.exit_code = finish(add_volume(session, *options));
  });
}

void add_volume_remove(CLI::App& volume, Session& session) {
  auto* command = volume.add_subcommand("remove", "remove a volume and its key");
  const auto options = std::make_shared<RemoveOptions>();
  add_key_options(*command, options->key);
  command->add_flag("-f,--force", options->force,
                    "yes, its key is needed no more; do not complain when it is not there");
  command->add_option("NAME", options->name, "name of the volume")->required();
  command->callback(
      [&session, options] { session.exit_code = finish(remove_of_any_kind(session, *options)); });
}

}  // namespace

void add_volume_commands(CLI::App& app, Session& session) {
  auto* volume = app.add_subcommand("volume", "volumes of every kind in the repository");
  add_volume_add(*volume, session);
  add_volume_adopt(*volume, session);
  add_volume_create(*volume, session);
  add_volume_views(*volume, session);
  add_volume_rename(*volume, session);
  add_volume_remove(*volume, session);
}

}  // namespace zkv::cli
