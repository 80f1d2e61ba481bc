// `zkvgateway secret set|list|delete`: the embedded vault's secrets, also beside a running gateway.
#include <fmt/core.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "base/file.h"
#include "crypto/fernet.h"
#include "gateway.h"
#include "settings_flags.h"
#include "table_output.h"

namespace zkv::cli {

namespace {

constexpr std::size_t kSecretLimit = 25'600;  // Azure Key Vault's, so that secrets can move there

/// Turns the terminal's echo off as long as it lives.
class NoEcho {
 public:
  NoEcho() {
    ::tcgetattr(STDIN_FILENO, &before_);
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
  }
  NoEcho(const NoEcho&) = delete;
  NoEcho& operator=(const NoEcho&) = delete;
  ~NoEcho() { ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_); }

 private:
  termios before_{};
};

/// One line of the terminal, without its end.
Result<SecretBytes> read_line() {
  SecretBytes line(kSecretLimit);
  std::size_t size = 0;
  while (size < line.size()) {
    const ssize_t got = ::read(STDIN_FILENO, &line.span()[size], 1);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Error::system("reading the terminal", errno);
    if (got == 0 || line.span()[size] == '\n') break;
    ++size;
  }
  line.truncate(size);
  return line;
}

Result<SecretBytes> read_input() {
  if (::isatty(STDIN_FILENO) == 0) return read_secret(STDIN_FILENO, kSecretLimit, "the standard input");
  const NoEcho silent;
  fmt::print(stderr, "The secret, then Enter (it is not shown): ");
  auto secret = read_line();
  fmt::print(stderr, "\n");
  return secret;
}

Result<SecretBytes> read_value(const std::string& file) {
  ZKV_TRY(auto value, file.empty() ? read_input() : read_secret_file(file, kSecretLimit));
  if (value.view().ends_with('\n')) value.truncate(value.size() - 1);
  if (value.empty())
    return Error::invalid("the secret is empty").remedy("give it by the standard input or --file");
  return value;
}

Result<std::unique_ptr<gateway::EmbeddedVault>> open_vault(const gateway::Settings& settings) {
  ZKV_CHECK(enter_data_directory(settings));
  ::umask(0077);
  return gateway::EmbeddedVault::open(embedded_options(settings));
}

Result<std::unique_ptr<gateway::EmbeddedVault>> find_vault(const Session& session) {
  ZKV_TRY(const auto settings, load_settings_or_report(session));
  ZKV_CHECK(need_database(settings));
  return open_vault(settings);
}

/// As open_vault, and says which files it made, and whose they are.
Result<std::unique_ptr<gateway::EmbeddedVault>> find_or_make_vault(const gateway::Settings& settings) {
  std::vector<std::filesystem::path> missing;
  std::error_code error;
  for (const auto& path : {settings.database, settings.master_key_file}) {
    if (!std::filesystem::exists(path, error) && !error) missing.push_back(path);
  }
  ZKV_TRY(auto vault, open_vault(settings));
  for (const auto& path : missing) {
    if (!std::filesystem::exists(path, error)) continue;
    fmt::print(stderr, "zkvgateway: made {}, which was not there, for uid {}\n", path.string(), ::geteuid());
  }
  return vault;
}

/// Hosts of this project have a Fernet key as their repository key; what else somebody keeps is theirs to
/// know. Source: the Fernet specification, "Key Format".
void warn_unless_key(const std::string& name, const SecretBytes& value) {
  if (crypto::fernet_key_from_text(value.view())) return;
  fmt::print(
      stderr,
      "zkvgateway: warning: '{}' is what hosts get as their repository key, and this is none: it has {} "
      "characters, not the {} of url-safe base64 that stand for {} bytes\n",
      name, value.size(), crypto::kFernetKeyTextSize, crypto::kFernetKeySize);
}

Result<> set(const Session& session, const std::string& name, const std::string& file) {
  ZKV_TRY(const auto value, read_value(file));
  ZKV_TRY(const auto settings, load_settings_or_report(session));
  if (name == settings.secret) warn_unless_key(name, value);
  ZKV_TRY(const auto vault, find_or_make_vault(settings));
  ZKV_CHECK(vault->put(name, value.span()));
  fmt::print("stored secret '{}'\n", name);
  if (name == settings.secret && !settings.legacy) {
    fmt::print(stderr,
               "zkvgateway: the first protocol, by which hosts ask for it, is off: set secret = \"{}\" in "
               "/etc/zkv/gateway.toml\n",
               name);
  }
  return {};
}

Result<> list(const Session& session) {
  ZKV_TRY(const auto vault, find_vault(session));
  ZKV_TRY(const auto rows, vault->list());
  TableOutput table({"NAME", "CHANGED"});
  for (const auto& row : rows) table.add({row.name, to_text(row.changed_at)});
  table.print();
  return {};
}

Result<> remove(const Session& session, const std::string& name) {
  ZKV_TRY(const auto vault, find_vault(session));
  ZKV_CHECK(vault->remove(name));
  fmt::print("deleted secret '{}'\n", name);
  return {};
}

const std::vector<std::string>& needed_settings() {
  static const std::vector<std::string> names{"data-dir", "sqlalchemy-database-uri", "master-key-file"};
  return names;
}

}  // namespace

void add_secret_commands(CLI::App& app, Session& session) {
  auto* secret = app.add_subcommand("secret", "the embedded vault's secrets");
  secret->require_subcommand(1);
  auto name = std::make_shared<std::string>();
  auto file = std::make_shared<std::string>();

  auto* setting = secret->add_subcommand("set", "store a secret, read from the standard input");
  setting->add_option("name", *name, "'repository-key' is the one that hosts ask for")
      ->required()
      ->type_name("NAME");
  setting->add_option("--file", *file, "read it from FILE")->type_name("FILE");
  add_settings_flags(*setting, session, needed_settings());
  setting->callback([&session, name, file] { session.exit_code = finish(set(session, *name, *file)); });

  auto* listing = secret->add_subcommand("list", "print the names");
  add_settings_flags(*listing, session, needed_settings());
  listing->callback([&session] { session.exit_code = finish(list(session)); });

  auto* deleting = secret->add_subcommand("delete", "delete a secret");
  deleting->add_option("name", *name, "its name")->required()->type_name("NAME");
  add_settings_flags(*deleting, session, needed_settings());
  deleting->callback([&session, name] { session.exit_code = finish(remove(session, *name)); });
}

}  // namespace zkv::cli
