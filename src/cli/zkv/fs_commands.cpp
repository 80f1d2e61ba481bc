// `zkv fs init|add|remove|list`: the seed's commands, on a repository of either format.
#include <algorithm>
#include <cstdio>
#include <memory>

#include "commands.h"
#include "host/enrolment.h"
#include "key_input.h"
#include "output.h"
#include "repository/change.h"

namespace zkv::cli {

namespace {

using repository::Format;

struct InitOptions {
  KeyOptions key;
  bool machine_readable = false;
  bool force = false;
  std::string format;
};

struct AddOptions {
  KeyOptions key;
  bool force = false;
  std::string name;
  std::string volume_key;
  std::filesystem::path volume_key_file;
  std::string encoding = "text";
};

struct RemoveOptions {
  KeyOptions key;
  bool force = false;
  std::string name;
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
                             const SecretBytes& key) {
  const bool is_found = path == repository::default_path();
  Output out;
  if (options.machine_readable) return (out << key << "\n").write();
  out << "Made an empty repository at " << path.string() << ". Its key is\n"
      << key << "\n"
      << "Keep the key in a safe place: it is not shown again, and without it nobody reads the repository.\n"
      << "Next: zkv" << (is_found ? "" : " --repository " + path.string()) << " fs add FILESYSTEM\n";
  return out.write();
}

Result<> init(Session& session, const InitOptions& options) {
  SecretBytes key;
  if (options.key.given()) {
    ZKV_TRY(key, read_repository_key(session, options.key, options.machine_readable));
  } else {
    key = repository::new_key();
  }
  const auto format = chosen_format(options, session.repository);
  ZKV_CHECK(repository::create(session.repository, format, key, options.force));
  return show_new_repository(options, session.repository, key);
}

/// With -m an existing repository is exit code 1 and nothing else, as the seed has it.
ExitCode run_init(Session& session, const InitOptions& options) {
  const auto result = init(session, options);
  const bool silent = !result && options.machine_readable && result.error().kind() == ErrorKind::kExists;
  return silent ? ExitCode::kFailed : finish(result);
}

/// Before anybody types a key.
Result<> check_there(const Session& session) {
  std::error_code error;
  if (std::filesystem::exists(session.repository, error)) return {};
  return repository::format_of(session.repository).map([](auto) {});
}

/// A name that no ZFS filesystem can have is a slip of the fingers, and one with control characters worse.
/// Source: zfs(8), "Dataset and Snapshot Names".
Result<> check_filesystem_name(const std::string& name) {
  const bool has_odd_slash =
      name.starts_with('/') || name.ends_with('/') || name.find("//") != std::string::npos;
  const bool has_odd_character = std::any_of(name.begin(), name.end(), [](unsigned char c) {
    return c < 0x20 || c == 0x7f || c == '@' || c == '#';
  });
  if (!has_odd_slash && !has_odd_character) return {};
  return Error::invalid("no ZFS filesystem can have that name")
      .remedy("give it as 'zfs list' shows it, such as tank/home");
}

KeyEncoding encoding_of(const std::string& word) {
  if (word == "raw") return KeyEncoding::kRaw;
  if (word == "hex") return KeyEncoding::kHex;
  return word == "base64" ? KeyEncoding::kBase64 : KeyEncoding::kText;
}

/// What approvers are shown follows the repository. A list that cannot be kept is no reason to fail.
void keep_volume_names(const Session& session, const repository::VolumeKeys& keys) {
  const auto kept = host::EnrolmentFolder(session.repository).store_volumes(keys);
  if (!kept) static_cast<void>(std::fprintf(stderr, "zkv: warning: %s\n", kept.error().message().c_str()));
}

Result<> add(Session& session, const AddOptions& options) {
  ZKV_CHECK(check_filesystem_name(options.name));
  ZKV_CHECK(check_there(session));
  ZKV_TRY(const auto key, read_repository_key(session, options.key));
  ZKV_TRY(const auto volume_key, read_volume_key(session, options.volume_key, options.volume_key_file,
                                                 options.name, encoding_of(options.encoding)));
  ZKV_CHECK(repository::edit(session.repository, key, [&](repository::VolumeKeys& keys) -> Result<> {
    ZKV_CHECK(keys.add(options.name, repository::VolumeKind::kZfs, volume_key.span(), options.force));
    keep_volume_names(session, keys);
    return {};
  }));
  Output out;
  return (out << "Added " << options.name << " to " << session.repository.string() << "\n").write();
}

Result<> remove(Session& session, const RemoveOptions& options) {
  ZKV_CHECK(check_there(session));
  ZKV_TRY(const auto key, read_repository_key(session, options.key));
  bool found = true;
  ZKV_CHECK(repository::edit(session.repository, key, [&](repository::VolumeKeys& keys) -> Result<> {
    found = keys.contains(options.name);
    if (!found && options.force) return {};
    ZKV_CHECK(keys.remove(options.name));
    keep_volume_names(session, keys);
    return {};
  }));
  if (!found) return {};
  Output out;
  return (out << "Removed " << options.name << " from " << session.repository.string() << "\n").write();
}

void print_lines(Output& out, const std::vector<repository::VolumeKeys::Volume>& volumes, bool keys) {
  for (const auto& volume : volumes) {
    out << volume.name;
    if (keys) (out << ": ").key(volume.key);
    out << "\n";
  }
}

void print_json(Output& out, const std::vector<repository::VolumeKeys::Volume>& volumes, bool keys) {
  std::string_view separator = "[";
  for (const auto& volume : volumes) {
    (out << separator << "{\"name\": ").json(volume.name) << ", \"kind\": ";
    out.json(repository::to_text(volume.kind));
    if (keys) (out << ", ").json_key(volume.key);
    out << "}";
    separator = ",\n ";
  }
  out << (volumes.empty() ? "[]\n" : "]\n");
}

Result<> list(Session& session, const ListOptions& options) {
  ZKV_CHECK(check_there(session));
  ZKV_TRY(const auto key, read_repository_key(session, options.key));
  ZKV_TRY(const auto opened, repository::open(session.repository, key));
  if (opened.warning) static_cast<void>(std::fprintf(stderr, "zkv: warning: %s\n", opened.warning->c_str()));
  Output out;
  if (options.json) {
    print_json(out, opened.keys.volumes(), options.plaintext);
  } else {
    print_lines(out, opened.keys.volumes(), options.plaintext);
  }
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
  const auto options = std::make_shared<AddOptions>();
  add_key_options(*command, options->key);
  command->add_flag("-f,--force", options->force, "give a filesystem that is there another key");
  auto* file =
      command->add_option("--fs-key-file", options->volume_key_file, "read the filesystem's key from FILE")
          ->type_name("FILE");
  command->add_option("--encoding", options->encoding, "how the key is written (default: text)")
      ->check(CLI::IsMember({"text", "raw", "hex", "base64"}))
      ->type_name("");
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
  command->add_flag("-f,--force", options->force, "do not complain when it is not there");
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

}  // namespace

void add_fs_commands(CLI::App& app, Session& session) {
  auto* fs = app.add_subcommand("fs", "the filesystems in the repository");
  add_init(*fs, session);
  add_add(*fs, session);
  add_remove(*fs, session);
  add_list(*fs, session);
}

}  // namespace zkv::cli
