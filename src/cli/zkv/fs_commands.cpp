// `zkv fs init|add|remove|list`: the seed's commands, on a repository of either format.
#include <algorithm>
#include <memory>

#include "commands.h"
#include "key_input.h"
#include "output.h"
#include "repository/change.h"
#include "stored_volumes.h"
#include "unlock/zfs.h"

namespace zkv::cli {

namespace {

using repository::Format;

struct InitOptions {
  KeyOptions key;
  bool machine_readable = false;
  bool force = false;
  std::string format;
};

struct FsAddOptions {
  KeyOptions key;
  bool force = false;
  std::string name;
  std::string volume_key;
  std::filesystem::path volume_key_file;
  std::string encoding = "text";
};

struct ListOptions {
  KeyOptions key;
  bool plaintext = false;
  bool json = false;
};

/// What --format says; without it version 2 at the place of the system's own repository, else the seed's.
Format chosen_format(const InitOptions& options, const std::filesystem::path& path) {
  if (options.format == "2") return Format::kVersion2;
  if (options.format == "seed") return Format::kSeed;
  return path == "/var/lib/zkv/repository" ? Format::kVersion2 : Format::kSeed;
}

Result<> show_new_repository(const InitOptions& options, const std::filesystem::path& path,
                             const std::optional<std::filesystem::path>& replaced, const SecretBytes& key) {
  const std::string zkv = path == repository::default_path() ? "zkv" : "zkv --repository " + path.string();
  Output out;
  if (options.machine_readable) return (out << key << "\n").write();
  if (replaced) out << "The repository that was there is " << replaced->string() << " now.\n";
  out << "Made an empty repository at " << path.string() << ". Its key is\n"
      << key << "\n"
      << "Keep the key in a safe place: it is not shown again, and without it nobody reads the repository.\n"
      << "Next: " << zkv << " fs add FILESYSTEM, or for all that is encrypted here: " << zkv
      << " volume adopt\n";
  return out.write();
}

/// One that every command has found so far would be looked at no more, and nobody would miss it before a
/// boot.
Result<> check_hides_none(const Session& session, const InitOptions& options) {
  const auto hidden = repository::hidden_by(session.repository);
  if (!hidden || options.force) return {};
  return Error::conflict("this machine's repository is " + hidden->string() + ", and with one at " +
                         session.repository.string() + " no command and no boot would look at it any more")
      .remedy("go on with it as it is; or, to begin anew beside it: --force");
}

Result<> init(Session& session, const InitOptions& options) {
  ZKV_CHECK(check_hides_none(session, options));
  SecretBytes key;
  if (options.key.given()) {
    ZKV_TRY(key, read_repository_key(session, options.key, options.machine_readable));
  } else {
    key = repository::new_key();
  }
  const auto format = chosen_format(options, session.repository);
  ZKV_TRY(const auto replaced, repository::create(session.repository, format, key, options.force));
  return show_new_repository(options, session.repository, replaced, key);
}

/// With -m an existing repository is exit code 1 and nothing else, as the seed has it.
ExitCode run_init(Session& session, const InitOptions& options) {
  const auto result = init(session, options);
  const bool silent = !result && options.machine_readable && result.error().kind() == ErrorKind::kExists;
  return silent ? ExitCode::kFailed : finish(result);
}

/// These commands mean ZFS; what is of another kind is for `zkv volume`.
bool is_of_zfs(const repository::VolumeKeys::Volume& volume) {
  return volume.kind == repository::VolumeKind::kZfs;
}

/// The seed replaces a key by any other. Here its old one may be the only one that opens it.
Result<> check_no_key_goes(const repository::VolumeKeys& keys, const FsAddOptions& options,
                           const SecretBytes& volume_key) {
  if (!options.force) return {};
  for (auto& volume : keys.volumes()) {
    const bool is_replaced = volume.name == options.name && is_of_zfs(volume);
    if (!is_replaced || std::ranges::equal(volume.key, volume_key.span())) continue;
    volume.key = volume_key.span();
    volume.derived.reset();
    const auto tried =
        unlock::make_zfs_unlocker({})->open(std::span(&volume, 1), unlock::Attempt::kTrial, {}).front();
    if (tried.happened == unlock::Happened::kKeyFits) continue;
    return Error::conflict(
               "the key of " + options.name + " would be gone, and the new one is not known to open it (" +
               (tried.detail.empty() ? std::string(unlock::to_text(tried.happened)) : tried.detail) +
               "); nothing was stored")
        .remedy("if you are sure of the new one: zkv volume add --force --no-test " + options.name);
  }
  return {};
}

Result<> add(Session& session, const FsAddOptions& options) {
  ZKV_CHECK(unlock::make_zfs_unlocker({})->check({options.name}));
  ZKV_CHECK(check_there(session));
  ZKV_TRY(const auto key, read_key_to_change(session, options.key));
  ZKV_TRY(const auto volume_key, read_volume_key(session, options.volume_key, options.volume_key_file,
                                                 options.name, encoding_of(options.encoding)));
  ZKV_TRY(const auto format, repository::format_of(session.repository));
  const auto add = [&](repository::VolumeKeys& keys) -> Result<> {
    ZKV_CHECK(keys.check_settled(options.name));
    if (format == Format::kVersion2) ZKV_CHECK(check_no_key_goes(keys, options, volume_key));
    return keys.add(options.name, repository::VolumeKind::kZfs, volume_key.span(), options.force);
  };
  ZKV_CHECK(edit_volumes(session, key, add, options.name));
  Output out;
  return (out << "Added " << options.name << " to " << session.repository.string() << "\n").write();
}

Result<> check_kind(const repository::VolumeKeys& keys, const std::string& name) {
  for (const auto& volume : keys.volumes()) {
    if (volume.name != name || is_of_zfs(volume)) continue;
    return Error::invalid("'" + name + "' is a volume of kind " + repository::to_text(volume.kind))
        .remedy("zkv volume remove " + name);
  }
  return {};
}

Result<> remove(Session& session, const RemoveOptions& options) {
  ZKV_TRY(const auto format, repository::format_of(session.repository));
  return remove_volume(session, options, [&](const repository::VolumeKeys& keys) -> Result<> {
    ZKV_CHECK(check_kind(keys, options.name));
    return format == Format::kSeed ? Result<>() : check_not_needed(keys, options);
  });
}

constexpr std::size_t kUsualNameSize = 24;

Result<> print_names(const repository::VolumeKeys& volumes) {
  std::string names;
  names.reserve(kUsualNameSize * volumes.size());
  volumes.for_each([&](std::string_view name, repository::VolumeKind kind) {
    if (kind == repository::VolumeKind::kZfs) names.append(name).append("\n");
  });
  return write_out(names);
}

Result<> print_with_keys(const std::vector<repository::VolumeKeys::Volume>& volumes) {
  Output out;
  for (const auto& volume : volumes) (out << volume.name << ": ").key(volume.key) << "\n";
  return out.write();
}

Result<> list(Session& session, const ListOptions& options) {
  ZKV_CHECK(check_there(session));
  ZKV_TRY(const auto key, read_repository_key(session, options.key));
  ZKV_TRY(const auto opened, open_with_warning(session, key));
  if (!options.json && !options.plaintext) return print_names(opened.keys);
  auto volumes = opened.keys.volumes();
  std::erase_if(volumes, [](const auto& volume) { return !is_of_zfs(volume); });
  if (!options.json) return print_with_keys(volumes);
  Output out;
  print_volumes_json(out, volumes, options.plaintext);
  return out.write();
}

void add_init(CLI::App& fs, Session& session) {
  auto* command = fs.add_subcommand("init", "make an empty repository and show its key");
  const auto options = std::make_shared<InitOptions>();
  add_key_options(*command, options->key);
  command->add_flag("-m,--machine-readable", options->machine_readable, "print the key and nothing else");
  command->add_flag("-f,--force", options->force, "replace an existing repository");
  command
      ->add_option("--format", options->format,
                   "seed or 2 (default: 2 at /var/lib/zkv/repository, else seed)")
      ->check(CLI::IsMember({"seed", "2"}));
  command->callback([&session, options] { session.exit_code = run_init(session, *options); });
}

void add_add(CLI::App& fs, Session& session) {
  auto* command = fs.add_subcommand("add", "add a filesystem and its key");
  const auto options = std::make_shared<FsAddOptions>();
  add_key_options(*command, options->key);
  command->add_flag("-f,--force", options->force, "give a filesystem that is there another key");
  auto* file =
      command->add_option("--fs-key-file", options->volume_key_file, "read the filesystem's key from FILE")
          ->type_name("FILE");
  add_encoding_option(*command, options->encoding);
  command->add_option("FILESYSTEM", options->name, "name of the filesystem")->required();
  command->add_option("FS_KEY", options->volume_key, "its key; '-' reads it from standard input")
      ->type_name(kSecretType)
      ->excludes(file);
  command->callback([&session, options] { session.exit_code = finish(add(session, *options)); });
}

void add_remove(CLI::App& fs, Session& session) {
  auto* command = fs.add_subcommand("remove", "remove a filesystem and its key");
  const auto options = std::make_shared<RemoveOptions>();
  add_key_options(*command, options->key);
  command->add_flag("-f,--force", options->force,
                    "yes, its key is needed no more; do not complain when it is not there");
  command->add_option("FILESYSTEM", options->name, "name of the filesystem")->required();
  command->callback([&session, options] { session.exit_code = finish(remove(session, *options)); });
}

void add_list(CLI::App& fs, Session& session) {
  auto* command = fs.add_subcommand("list", "list the filesystems");
  const auto options = std::make_shared<ListOptions>();
  add_key_options(*command, options->key);
  command->add_flag("-p,--plaintext", options->plaintext, "show the keys too");
  command->add_flag("--json", options->json, "as JSON");
  command->callback([&session, options] { session.exit_code = finish(list(session, *options)); });
}

constexpr Group kFsCommands[] = {
    {{"init"}, add_init}, {{"add"}, add_add}, {{"remove"}, add_remove}, {{"list"}, add_list}};

}  // namespace

void add_fs_commands(CLI::App& app, Session& session) {
  auto* fs = app.add_subcommand("fs", "the filesystems in the repository");
  describe(kFsCommands, *fs, session);
}

}  // namespace zkv::cli
