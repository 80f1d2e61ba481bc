// All sources over one another, values into their types, and what must hold between settings.
#include <fmt/format.h>

#include <cstdlib>
#include <map>
#include <set>

#include "base/file.h"
#include "gateway/settings/sources.h"
#include "gateway/settings/values.h"

namespace zkv::gateway {

namespace {

namespace fs = std::filesystem;

constexpr const char* kDefaultConfig = "/etc/zkv/gateway.toml";
constexpr const char* kDefaultPage = "/usr/share/zfs-keyvault/page";
constexpr const char* kDefaultSecret = "repository-key";
constexpr const char* kDefaultOrigin = "default";
constexpr std::size_t kSecretLimit = 64U * 1024U;
constexpr std::size_t kMasterKeySize = 32;

class Loader {
 public:
  explicit Loader(const LoadInput& input) : input_(input) {}

  Loaded load() {
    gather();
    for (const auto& setting : settings_table()) settle(setting);
    take_master_key();
    derive();
    check();
    return std::move(loaded_);
  }

 private:
  void gather() {
    if (const auto config = configuration_file(input_)) add(read_toml(*config));
    if (const char* seed_file = std::getenv("CONFIG_FILE")) add(read_seed_file(seed_file));
    add(take_environment());
    add(read_credentials());
    add(flags());
  }

  [[nodiscard]] Source flags() const {
    Source source;
    for (const auto& [flag, value] : input_.flags) {
      const auto name = find_setting(flag);
      if (!name) {
        source.problems.push_back(
            Error::invalid("unknown flag --" + flag).remedy(did_you_mean(nearest_setting(flag))));
        continue;
      }
      source.given.push_back({*name, SecretBytes::copy_of(value), "flag --" + flag});
    }
    return source;
  }

  /// Later sources take the place of earlier ones. An empty value means: as if it were not given.
  void add(Source source) {
    for (auto& given : source.given) {
      if (!given.value.empty()) given_[given.name.setting] = std::move(given);
    }
    std::move(source.warnings.begin(), source.warnings.end(), std::back_inserter(loaded_.warnings));
    std::move(source.problems.begin(), source.problems.end(), std::back_inserter(loaded_.problems));
  }

  void settle(const Setting& setting) {
    const auto found = given_.find(&setting);
    const bool is_given = found != given_.end();
    Effective effective{std::string(setting.name), std::string(setting.fallback),
                        is_given ? found->second.origin : kDefaultOrigin};
    if (setting.kind == Setting::Kind::kSecret) {
      if (is_given) settle_secret(setting, found->second, effective);
    } else {
      if (is_given) effective.value = std::string(found->second.value.view());
      settle_value(setting, effective);
    }
    loaded_.effective.push_back(std::move(effective));
  }

  void settle_value(const Setting& setting, const Effective& effective) {
    if (effective.value.empty()) return;
    if (auto applied = setting.apply(loaded_.settings, effective.value); !applied) {
      add_problem(effective, std::move(applied).error());
    }
  }

  void settle_secret(const Setting& setting, Given& given, Effective& effective) {
    effective.value = "(secret)";
    if (!given.name.is_file) return setting.take(loaded_.settings, std::move(given.value));
    const fs::path path(given.value.view());
    auto secret = read_secret_file(path, kSecretLimit);
    if (!secret) return add_problem(effective, std::move(secret).error());
    while (!secret->empty() && secret->view().ends_with('\n')) secret->truncate(secret->size() - 1);
    if (secret->empty()) return add_problem(effective, Error::invalid(path.string() + " is empty"));
    effective.origin += " (" + path.string() + ")";
    setting.take(loaded_.settings, std::move(*secret));
  }

  void add_problem(const Effective& effective, Error error) {
    wrong_.insert(effective.name);
    loaded_.problems.push_back(std::move(error).context(effective.origin + ": " + effective.name));
  }

  void take_master_key() {
    const char* const directory = std::getenv("CREDENTIALS_DIRECTORY");
    if (directory == nullptr) return;
    auto key = read_secret_file(fs::path(directory) / "master-key", kSecretLimit);
    if (!key && key.error().kind() == ErrorKind::kNotFound) return;
    if (key && key->size() != kMasterKeySize) {
      key = Error::invalid(fmt::format("has {} bytes in place of {}", key->size(), kMasterKeySize));
    }
    if (!key) return loaded_.problems.push_back(std::move(key).error().context("credential master-key"));
    loaded_.settings.master_key = std::move(*key);
    effective_of("master-key-file").value = "(secret)";
    effective_of("master-key-file").origin = "credential master-key";
  }

  Effective& effective_of(std::string_view name) {
    return *std::find_if(loaded_.effective.begin(), loaded_.effective.end(),
                         [&](const Effective& effective) { return effective.name == name; });
  }

  /// Fills in what follows from other settings, and says so.
  void derive() {
    auto& settings = loaded_.settings;
    settings.vault = settings.vault_wanted.value_or(settings.key_vault_uri.empty() ? VaultKind::kEmbedded
                                                                                   : VaultKind::kAzure);
    settings.legacy = settings.legacy_wanted.value_or(!settings.secret.empty());
    if (settings.secret.empty() && settings.vault == VaultKind::kEmbedded) settings.secret = kDefaultSecret;
    if (settings.database.empty()) settings.database = settings.data_dir / "gateway.db";
    if (settings.control_socket.empty()) settings.control_socket = settings.data_dir / "control.sock";
    if (settings.master_key_file.empty()) settings.master_key_file = settings.data_dir / "master.key";
    if (settings.push_subject.empty() && settings.public_url.starts_with("https://")) {
      settings.push_subject = settings.public_url;
    }
    std::error_code failure;
    if (settings.page_dir.empty() && fs::is_directory(kDefaultPage, failure))
      settings.page_dir = kDefaultPage;
    show("page-dir", settings.page_dir.string());
    show("vault", settings.vault == VaultKind::kAzure ? "azure" : "embedded");
    show("secret", settings.secret);
    show("legacy", settings.legacy ? "true" : "false");
    show("sqlalchemy-database-uri", "sqlite:///" + settings.database.string());
    show("control-socket", settings.control_socket.string());
    show("push-subject", settings.push_subject);
    show("master-key-file", settings.master_key_file.string());
  }

  void show(std::string_view name, std::string value) {
    auto& effective = effective_of(name);
    if (effective.value.empty()) effective.value = std::move(value);
  }

  void check() {
    check_listen();
    check_public_url();
    if (const auto stray = stray_database(loaded_.settings)) {
      loaded_.warnings.push_back(fmt::format("{}: sqlalchemy-database-uri: {}; {}",
                                             effective_of("sqlalchemy-database-uri").origin, stray->what,
                                             stray->remedy));
    }
    if (loaded_.settings.secret.starts_with("zkv-host-")) {
      loaded_.problems.push_back(
          Error::invalid(
              fmt::format("{}: secret: names that begin with zkv-host- are shares of enrolled hosts",
                          effective_of("secret").origin))
              .remedy("give the secret another name in the vault"));
    }
    if (loaded_.settings.vault == VaultKind::kAzure) {
      need("azure's vault", {"key-vault-uri", "aad-tenant-id", "aad-client-id", "aad-client-secret"});
      if (loaded_.settings.legacy) need_secret();
    }
    const std::vector<std::string_view> twilio{"twilio-account-id", "twilio-token", "sms-to", "sms-from"};
    if (std::any_of(twilio.begin(), twilio.end(),
                    [&](auto name) { return !effective_of(name).value.empty(); })) {
      need("twilio", twilio);
      if (!loaded_.settings.legacy) {
        loaded_.warnings.emplace_back(
            "twilio is set, which asks for the first protocol alone, and that is off: name its 'secret'");
      }
      if (loaded_.settings.public_url.empty()) {
        loaded_.warnings.emplace_back(
            "public-url is not set: Twilio's signature is checked against the address in the Host header");
      }
    }
  }

  void check_listen() {
    const auto& settings = loaded_.settings;
    if (settings.tls_certificate.empty() != settings.tls_key.empty()) {
      loaded_.problems.push_back(Error::invalid("tls-certificate and tls-key are given only together"));
    } else if (!settings.tls() && !wrong_.contains("listen") && !is_loopback(settings.listen.host)) {
      loaded_.problems.push_back(
          Error::invalid(fmt::format("{}: listen: plain http on {} would send keys unprotected",
                                     effective_of("listen").origin, effective_of("listen").value))
              .remedy("set tls-certificate and tls-key, or listen on 127.0.0.1 behind a proxy"));
    }
  }

  /// Hosts do with an address of any kind; people need a name.
  void check_public_url() {
    const std::string_view url = loaded_.settings.public_url;
    if (url.empty()) return;
    const auto authority = url.substr(url.find("://") + 3);
    const bool is_number =
        authority.starts_with('[') || parse_address(authority.substr(0, authority.rfind(':')));
    if (!is_number) return;
    loaded_.warnings.push_back(fmt::format(
        "{}: public-url: nobody can sign in at an IP address, as passkeys are bound to a name; set it "
        "to one, as https://gateway.example",
        effective_of("public-url").origin));
  }

  void need_secret() {
    if (!loaded_.settings.secret.empty()) return;
    loaded_.problems.push_back(
        Error::invalid(
            "the first protocol needs 'secret', the name of its key in the vault, which is not set")
            .remedy("set ZKV_SECRET, or secret in the configuration file; or take legacy = true away, where "
                    "all hosts "
                    "are enrolled"));
  }

  void need(std::string_view whom, const std::vector<std::string_view>& names) {
    for (const auto name : names) {
      if (!effective_of(name).value.empty()) continue;
      loaded_.problems.push_back(
          Error::invalid(fmt::format("{} needs '{}', which is not set", whom, name))
              .remedy(fmt::format("set ZKV_{}, or {} in the configuration file", upper_snake(name), name)));
    }
  }

  const LoadInput& input_;
  std::map<const Setting*, Given> given_;
  std::set<std::string, std::less<>> wrong_;  ///< settings whose value is not understood
  Loaded loaded_;
};

}  // namespace

std::optional<fs::path> configuration_file(const LoadInput& input) {
  if (input.config) return input.config;
  if (const char* named = std::getenv("ZKV_CONFIG")) return fs::path(named);
  std::error_code error;
  if (fs::exists(kDefaultConfig, error)) return fs::path(kDefaultConfig);
  return std::nullopt;
}

Loaded load_settings(const LoadInput& input) { return Loader(input).load(); }

}  // namespace zkv::gateway
