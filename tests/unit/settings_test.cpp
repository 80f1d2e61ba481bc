// Settings: one table, many places; what wins, what is refused, and what becomes of secrets.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "base/file.h"
#include "gateway/settings/sources.h"
#include "gateway/settings/table.h"
#include "gateway/settings/values.h"

namespace zkv::gateway {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::Field;
using testing::HasSubstr;

/// A folder of files, and an environment that is as before afterwards.
class SettingsTest : public testing::Test {
 protected:
  SettingsTest() {
    std::string name = (fs::temp_directory_path() / "zkv-settings-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    input_.config = file("empty.toml", "");
  }
  ~SettingsTest() override {
    for (const auto& name : set_) ::unsetenv(name.c_str());
    fs::remove_all(folder_);
  }

  fs::path file(const std::string& name, std::string_view text) {
    EXPECT_TRUE(replace_file(folder_ / name, bytes_of(text)));
    return folder_ / name;
  }
  void toml(std::string_view text) { input_.config = file("gateway.toml", text); }
  void seed_file(std::string_view text) { environment("CONFIG_FILE", file("seed.cfg", text).string()); }
  void environment(const std::string& name, const std::string& value) {
    ::setenv(name.c_str(), value.c_str(), 1);
    set_.push_back(name);
  }
  void flag(const std::string& name, const std::string& value) { input_.flags.emplace_back(name, value); }
  void twilio() {
    environment("ZKV_TWILIO_ACCOUNT_ID", "AC1");
    environment("ZKV_TWILIO_TOKEN", "twilio-secret");
    environment("ZKV_SMS_TO", "+15551234567");
    environment("ZKV_SMS_FROM", "+15557654321");
  }

  Loaded load() { return load_settings(input_); }
  std::string problem() {
    const auto loaded = load();
    return loaded.problems.empty()
               ? ""
               : loaded.problems.front().message() + " | " + loaded.problems.front().remedy();
  }
  static Effective effective(const Loaded& loaded, const std::string& name) {
    for (const auto& setting : loaded.effective) {
      if (setting.name == name) return setting;
    }
    return {};
  }

  fs::path folder_;
  LoadInput input_;
  std::vector<std::string> set_;
};

TEST_F(SettingsTest, AnAddressAtWhichNobodyCanSignInIsSaidSo) {
  for (const std::string url :
       {"https://192.0.2.7", "https://192.0.2.7:8443", "https://[2001:db8::1]:8443"}) {
    toml("public-url = '" + url + "'");
    EXPECT_THAT(load().warnings, testing::Contains(HasSubstr("nobody can sign in"))) << url;
  }
  toml("public-url = 'https://gateway.example:8443/'");
  EXPECT_TRUE(load().warnings.empty());
  toml("public-url = 'https://gateway.example/zkv'");
  EXPECT_FALSE(load().problems.empty());
}

TEST_F(SettingsTest, ProxiesAreNotEverybodyAndListsHaveNoEmptyEntry) {
  for (const std::string line : {"trusted-proxies = ['0.0.0.0/0']", "trusted-proxies = ['::/0']",
                                 "trusted-proxies = ['127.0.0.1/32', '0.0.0.0/1']", "totp-groups = ['']",
                                 "totp-groups = ['home', '']"}) {
    toml(line);
    const auto loaded = load();
    ASSERT_FALSE(loaded.problems.empty()) << line;
    EXPECT_FALSE(loaded.problems.front().remedy().empty()) << line;
  }
  toml("trusted-proxies = ['10.0.0.0/8', 'fc00::/7']");
  EXPECT_TRUE(load().problems.empty());
}

TEST_F(SettingsTest, TwilioWithoutTheFirstProtocolIsSaidToBeInVain) {
  toml("twilio-account-id = 'AC1'");
  EXPECT_THAT(load().warnings, testing::Contains(HasSubstr("name its 'secret'")));
}

TEST_F(SettingsTest, TheFirstProtocolIsOnWhereASecretIsNamedOrItIsAskedFor) {
  toml("secret = 'repository-key'");
  EXPECT_TRUE(load().settings.legacy);
  toml("legacy = true");
  const auto asked = load();
  EXPECT_TRUE(asked.settings.legacy);
  EXPECT_EQ(asked.settings.secret, "repository-key");
  toml("secret = 'repository-key'\nlegacy = false");
  EXPECT_FALSE(load().settings.legacy);
}

TEST_F(SettingsTest, PushMessagesGoToTheKnownServicesAndNameOurAddress) {
  toml("public-url = 'https://gateway.example/'");
  const auto loaded = load();
  EXPECT_THAT(loaded.settings.push_hosts,
              testing::ElementsAre("fcm.googleapis.com", "*.push.services.mozilla.com", "*.push.apple.com",
                                   "*.notify.windows.com"));
  EXPECT_EQ(loaded.settings.push_subject, "https://gateway.example");
  EXPECT_EQ(effective(loaded, "push-subject").value, "https://gateway.example");
}

TEST_F(SettingsTest, OtherPushServicesAreHostsOrOriginsAndPlainHttpStaysOnThisMachine) {
  EXPECT_TRUE(
      parse_push_hosts("Push.example, *.push.example,https://push.example:8443,http://127.0.0.1:8030"));
  for (const char* wrong :
       {"push", "*.com", "*", "*.*.example", "push.example/wp", "push.example:8443", "me@push.example",
        "http://push.example", "https://push.example/wp", "https://me@push.example", "ftp://push.example",
        ".push.example", "push.example."}) {
    EXPECT_FALSE(parse_push_hosts(wrong)) << wrong;
  }
}

TEST_F(SettingsTest, APushSubjectIsAMailboxOrAnHttpsAddress) {
  EXPECT_TRUE(parse_push_subject("mailto:owner@example.org"));
  EXPECT_TRUE(parse_push_subject("https://example.org/contact"));
  for (const char* wrong :
       {"owner@example.org", "mailto:", "mailto:@example.org", "mailto:owner@", "http://example.org",
        "mailto:a b@example.org", "mailto:owner@example.org\r\nX: y"}) {
    EXPECT_FALSE(parse_push_subject(wrong)) << wrong;
  }
}

TEST_F(SettingsTest, NothingSetIsAWorkingGatewayWithTheEmbeddedVaultOnLoopback) {
  const auto loaded = load();
  EXPECT_TRUE(loaded.problems.empty());
  EXPECT_EQ(loaded.settings.vault, VaultKind::kEmbedded);
  EXPECT_EQ(loaded.settings.secret, "repository-key");
  EXPECT_FALSE(loaded.settings.legacy);
  EXPECT_EQ(effective(loaded, "legacy").value, "false");
  EXPECT_TRUE(is_loopback(loaded.settings.listen.host));
  EXPECT_EQ(loaded.settings.database, "/var/lib/zkvgateway/gateway.db");
}

TEST_F(SettingsTest, AFlagWinsOverTheEnvironmentOverTheSeedsFileOverToml) {
  toml("max-wait = 10\npin-length = 5\nsecret = 'toml'\nlog-level = 'error'\n");
  seed_file("MAX_WAIT = 20\nPIN_LENGTH = 8\nKEY_VAULT_SECRET = 'seed'\n");
  environment("ZKV_MAX_WAIT", "30");
  environment("ZKV_PIN_LENGTH", "9");
  flag("max-wait", "40");
  const auto loaded = load();
  EXPECT_EQ(loaded.settings.max_wait.count(), 40);
  EXPECT_EQ(loaded.settings.pin_length, 9U);
  EXPECT_EQ(loaded.settings.secret, "seed");
  EXPECT_EQ(loaded.settings.log_level, "error");
  EXPECT_EQ(effective(loaded, "max-wait").origin, "flag --max-wait");
  EXPECT_EQ(effective(loaded, "pin-length").origin, "environment ZKV_PIN_LENGTH");
  EXPECT_EQ(effective(loaded, "secret").origin, (folder_ / "seed.cfg").string() + ":3");
  EXPECT_EQ(effective(loaded, "log-level").origin, (folder_ / "gateway.toml").string() + ":4");
}

TEST_F(SettingsTest, EverySettingOfTheSeedIsTakenFromItsFile) {
  seed_file(
      "# as the first gateway had it\n"
      "SQLALCHEMY_DATABASE_URI = 'sqlite:////tmp/db.sqlite'\n"
      "AAD_CLIENT_ID = 'client'  # a comment\n"
      "AAD_CLIENT_SECRET = \"it's\\x21\"\n"
      "AAD_TENANT_ID = 'tenant'\n"
      "AAD_RESOURCE = 'https://vault.example'\n"
      "AAD_AUTHORITY_HOST_URI = 'https://login.example/'\n"
      "KEY_VAULT_URI = 'https://kv.vault.example'\n"
      "KEY_VAULT_SECRET='name'\n"
      "TWILIO_ACCOUNT_ID = 'AC1'\n"
      "TWILIO_TOKEN = 'token'\n"
      "SMS_TO = '+15551234567'\n"
      "SMS_FROM = '+15557654321'\n"
      "MAX_WAIT = 30\n"
      "PIN_LENGTH = 7\n");
  const auto loaded = load();
  const auto& settings = loaded.settings;
  EXPECT_TRUE(loaded.problems.empty());
  EXPECT_EQ(settings.database, "/tmp/db.sqlite");
  EXPECT_EQ(settings.azure_client_id, "client");
  EXPECT_EQ(settings.azure_client_secret.view(), "it's!");
  EXPECT_EQ(settings.azure_tenant_id, "tenant");
  EXPECT_EQ(settings.azure_resource, "https://vault.example");
  EXPECT_EQ(settings.azure_authority, "https://login.example");
  EXPECT_EQ(settings.key_vault_uri, "https://kv.vault.example");
  EXPECT_EQ(settings.vault, VaultKind::kAzure);
  EXPECT_EQ(settings.secret, "name");
  EXPECT_EQ(settings.twilio_token.view(), "token");
  EXPECT_EQ(settings.sms_to, "+15551234567");
  EXPECT_EQ(settings.sms_from, "+15557654321");
  EXPECT_EQ(settings.max_wait.count(), 30);
  EXPECT_EQ(settings.pin_length, 7U);
}

TEST_F(SettingsTest, EverySettingOfTheSeedAndOfTheServerIsTakenFromTheEnvironment) {
  struct Row {
    const char* name;
    const char* value;
    std::string (*read)(const Settings&);
    const char* expected;
  };
  const std::vector<Row> rows{
      {"listen", "127.0.0.1:9443", [](const auto& all) { return std::to_string(all.listen.port); }, "9443"},
      {"data-dir", "/srv/zkv", [](const auto& all) { return all.data_dir.string(); }, "/srv/zkv"},
      {"public-url", "https://gateway.example/", [](const auto& all) { return all.public_url; },
       "https://gateway.example"},
      {"sqlalchemy-database-uri", "sqlite:////srv/zkv/a.db",
       [](const auto& all) { return all.database.string(); }, "/srv/zkv/a.db"},
      {"aad-client-id", "client", [](const auto& all) { return all.azure_client_id; }, "client"},
      {"aad-client-secret", "it's!",
       [](const auto& all) { return std::string(all.azure_client_secret.view()); }, "it's!"},
      {"aad-tenant-id", "tenant", [](const auto& all) { return all.azure_tenant_id; }, "tenant"},
      {"aad-resource", "https://vault.example", [](const auto& all) { return all.azure_resource; },
       "https://vault.example"},
      {"aad-authority-host-uri", "https://login.example/",
       [](const auto& all) { return all.azure_authority; }, "https://login.example"},
      {"key-vault-uri", "https://kv.vault.example", [](const auto& all) { return all.key_vault_uri; },
       "https://kv.vault.example"},
      {"key-vault-secret", "name", [](const auto& all) { return all.secret; }, "name"},
      {"twilio-account-id", "AC1", [](const auto& all) { return all.twilio_account_id; }, "AC1"},
      {"twilio-token", "token", [](const auto& all) { return std::string(all.twilio_token.view()); },
       "token"},
      {"twilio-api-uri", "http://127.0.0.1:99", [](const auto& all) { return all.twilio_api_uri; },
       "http://127.0.0.1:99"},
      {"sms-to", "+15551234567", [](const auto& all) { return all.sms_to; }, "+15551234567"},
      {"sms-from", "+15557654321", [](const auto& all) { return all.sms_from; }, "+15557654321"},
      {"max-wait", "30", [](const auto& all) { return std::to_string(all.max_wait.count()); }, "30"},
      {"pin-length", "7", [](const auto& all) { return std::to_string(all.pin_length); }, "7"},
  };
  for (const auto& row : rows) environment("ZKV_" + upper_snake(row.name), row.value);
  const auto loaded = load();
  EXPECT_TRUE(loaded.problems.empty());
  EXPECT_TRUE(loaded.warnings.empty());
  for (const auto& row : rows) {
    EXPECT_EQ(row.read(loaded.settings), row.expected) << row.name;
    EXPECT_EQ(effective(loaded, std::string(find_setting(row.name)->setting->name)).origin,
              "environment ZKV_" + upper_snake(row.name));
  }
}

TEST_F(SettingsTest, AMisspelledTomlKeyNamesFileLineAndTheNearestName) {
  toml("\nmax_wait = 10\n");
  EXPECT_THAT(problem(), HasSubstr("gateway.toml:2: unknown setting 'max_wait' | did you mean 'max-wait'?"));
}

TEST_F(SettingsTest, AMisspelledVariableIsAWarningThatNamesTheNearestOne) {
  environment("ZKV_MAX_WIAT", "10");
  EXPECT_THAT(
      load().warnings,
      Contains(HasSubstr("ZKV_MAX_WIAT: not a setting of this gateway; did you mean 'ZKV_MAX_WAIT'?")));
}

TEST_F(SettingsTest, AFlaskSettingInTheSeedsFileIsOnlyAWarning) {
  seed_file("DEBUG = False\nSQLALCHEMY_TRACK_MODIFICATIONS = False\n");
  const auto loaded = load();
  EXPECT_TRUE(loaded.problems.empty());
  EXPECT_EQ(loaded.warnings.size(), 2U);
}

TEST_F(SettingsTest, AnythingButAnAssignmentInTheSeedsFileIsAnErrorWithItsLine) {
  seed_file("MAX_WAIT = 30\nimport os\n");
  EXPECT_THAT(problem(), HasSubstr("seed.cfg:2: an equals sign is missing"));
  EXPECT_EQ(parse_seed_text("A = 'x' + 'y'", "f").problems.size(), 1U);
  EXPECT_EQ(parse_seed_text("MAX_WAIT = int('3')", "f").problems.size(), 1U);
  EXPECT_EQ(parse_seed_text("SMS_TO = 'never closed", "f").problems.size(), 1U);
  EXPECT_EQ(parse_seed_text("SMS_TO = '''a'''", "f").problems.size(), 1U);
  EXPECT_EQ(parse_seed_text("SMS_TO = 'a\\q'", "f").problems.size(), 1U);
}

TEST_F(SettingsTest, ASeedsFileThatIsNotThereIsAnError) {
  environment("CONFIG_FILE", (folder_ / "missing.cfg").string());
  EXPECT_THAT(problem(), HasSubstr("CONFIG_FILE"));
}

TEST_F(SettingsTest, ASecretIsNotTakenFromToml) {
  toml("twilio-token = 'in the open'\n");
  EXPECT_THAT(problem(),
              HasSubstr("gateway.toml:1: the secret 'twilio-token' does not belong into this file"));
  EXPECT_THAT(problem(), HasSubstr("twilio-token-file"));
  EXPECT_THAT(problem(), testing::Not(HasSubstr("in the open")));
}

TEST_F(SettingsTest, ASecretInTheEnvironmentIsWipedThereAndMaskedInTheReport) {
  twilio();
  const char* const remembered = std::getenv("ZKV_TWILIO_TOKEN");
  const auto loaded = load();
  EXPECT_EQ(loaded.settings.twilio_token.view(), "twilio-secret");
  EXPECT_EQ(std::getenv("ZKV_TWILIO_TOKEN"), nullptr);
  EXPECT_EQ(std::string_view(remembered, 1), std::string_view("\0", 1));
  EXPECT_EQ(effective(loaded, "twilio-token").value, "(secret)");
}

TEST_F(SettingsTest, ASecretComesFromItsFileWithoutTheLastNewline) {
  twilio();
  flag("twilio-token-file", file("token", "from a file\n").string());
  const auto loaded = load();
  EXPECT_TRUE(loaded.problems.empty());
  EXPECT_EQ(loaded.settings.twilio_token.view(), "from a file");
}

TEST_F(SettingsTest, AMissingSecretFileIsAnErrorThatNamesIt) {
  twilio();
  flag("twilio-token-file", (folder_ / "missing").string());
  EXPECT_THAT(problem(), HasSubstr("flag --twilio-token-file: twilio-token: "));
  EXPECT_THAT(problem(), HasSubstr("missing does not exist"));
}

TEST_F(SettingsTest, ASystemdCredentialWinsOverTheEnvironment) {
  twilio();
  environment("CREDENTIALS_DIRECTORY", folder_.string());
  file("twilio-token", "from systemd\n");
  file("master-key", "0123456789abcdef0123456789abcdef");
  const auto loaded = load();
  EXPECT_TRUE(loaded.problems.empty());
  EXPECT_EQ(loaded.settings.twilio_token.view(), "from systemd");
  EXPECT_EQ(loaded.settings.master_key.view(), "0123456789abcdef0123456789abcdef");
  EXPECT_EQ(effective(loaded, "master-key-file").origin, "credential master-key");
}

TEST_F(SettingsTest, AMasterKeyCredentialOfAnotherSizeIsRefused) {
  environment("CREDENTIALS_DIRECTORY", folder_.string());
  file("master-key", "short");
  EXPECT_THAT(problem(), HasSubstr("credential master-key: has 5 bytes in place of 32"));
}

TEST_F(SettingsTest, PlainHttpIsNotServedBeyondThisMachine) {
  flag("listen", "0.0.0.0:8443");
  EXPECT_THAT(problem(), HasSubstr("plain http on 0.0.0.0:8443"));
  flag("tls-certificate", "/c.pem");
  EXPECT_THAT(problem(), HasSubstr("given only together"));
  flag("tls-key", "/k.pem");
  EXPECT_EQ(problem(), "");
}

TEST_F(SettingsTest, AnAddressThatIsNotUnderstoodIsOneProblemOnly) {
  flag("listen", "127.0.0.1");
  const auto loaded = load();
  ASSERT_EQ(loaded.problems.size(), 1U);
  EXPECT_THAT(loaded.problems.front().message(), HasSubstr("'127.0.0.1' is not an address to listen on"));
}

TEST_F(SettingsTest, AConfigurationFileIsARegularFileOfAtMostOneMebibyte) {
  for (const auto* path : {"/tmp", "/dev/zero", "/nonexistent/gateway.toml"}) {
    input_.config = path;
    EXPECT_THAT(problem(), HasSubstr(path));
  }
  toml("# " + std::string(1024U * 1024U, 'x'));
  EXPECT_THAT(problem(), HasSubstr("is longer than"));
}

TEST_F(SettingsTest, AnOutsideAddressIsHttpsOrOnThisMachine) {
  EXPECT_FALSE(parse_outside_url("http://kv.example"));
  EXPECT_FALSE(parse_outside_url("http://127.0.0.1.example"));
  EXPECT_FALSE(parse_outside_url("http://localhost@kv.example"));
  EXPECT_FALSE(parse_outside_url("ftp://127.0.0.1"));
  EXPECT_FALSE(parse_outside_url("kv.example"));
  EXPECT_EQ(parse_outside_url("http://127.0.0.1:8080/").value(), "http://127.0.0.1:8080");
  EXPECT_EQ(parse_outside_url("http://[::1]:8080").value(), "http://[::1]:8080");
  EXPECT_EQ(parse_outside_url("https://kv.example").value(), "https://kv.example");
}

TEST_F(SettingsTest, OnlyAnAbsoluteSqliteDatabaseIsTaken) {
  EXPECT_EQ(parse_database_uri("sqlite:////a/b.db").value(), "/a/b.db");
  EXPECT_THAT(parse_database_uri("sqlite:///b.db").error().remedy(), HasSubstr("four slashes"));
  EXPECT_EQ(parse_database_uri("postgresql://user:password@host/db").error().kind(), ErrorKind::kUnsupported);
  EXPECT_THAT(parse_database_uri("postgresql://user:password@host/db").error().message(),
              testing::Not(HasSubstr("password")));
}

TEST_F(SettingsTest, ADatabaseThatThePackagedServiceCannotKeepIsSaidSo) {
  flag("data-dir", "/srv/zkv");
  const auto warning_at = [this](const std::string& path) {
    environment("ZKV_SQLALCHEMY_DATABASE_URI", "sqlite:///" + path);
    const auto warnings = load().warnings;
    return warnings.empty() ? "" : warnings.front();
  };
  EXPECT_THAT(warning_at("/tmp/db.sqlite"), HasSubstr("vanishes at each stop"));
  EXPECT_THAT(warning_at("/tmp/db.sqlite"), HasSubstr("move the file (with its -wal, if there is one) to "
                                                      "/srv/zkv/gateway.db"));
  EXPECT_THAT(warning_at("/srv/zkv/../../var/tmp/a.db"), HasSubstr("vanishes at each stop"));
  EXPECT_THAT(warning_at("/opt/db.sqlite"), HasSubstr("cannot write there"));
  EXPECT_THAT(warning_at("/srv/zkv-old/a.db"), HasSubstr("cannot write there"));
  EXPECT_EQ(warning_at("/srv/zkv/sub/a.db"), "");
}

TEST_F(SettingsTest, AzureWithoutItsCredentialsSaysWhatIsMissing) {
  environment("ZKV_KEY_VAULT_URI", "https://kv.example");
  environment("ZKV_LEGACY", "true");
  const auto loaded = load();
  EXPECT_EQ(loaded.problems.size(), 4U);
  EXPECT_THAT(loaded.problems.front().message(), HasSubstr("needs 'aad-tenant-id', which is not set"));
  EXPECT_THAT(loaded.problems.back().message(), HasSubstr("the first protocol needs 'secret'"));
}

TEST_F(SettingsTest, AzureForEnrolledHostsAloneNeedsNoSecretsName) {
  environment("ZKV_KEY_VAULT_URI", "https://kv.example");
  const auto loaded = load();
  EXPECT_EQ(loaded.problems.size(), 3U);
  for (const auto& problem : loaded.problems) EXPECT_THAT(problem.message(), HasSubstr("'aad-"));
}

TEST_F(SettingsTest, ValuesOutOfRangeAreRefused) {
  for (const auto& [name, value] :
       std::vector<std::pair<std::string, std::string>>{{"pin-length", "3"},
                                                        {"pin-length", "six"},
                                                        {"max-wait", "0"},
                                                        {"max-wait", "-1"},
                                                        {"listen", "8443"},
                                                        {"listen", "127.0.0.1:70000"},
                                                        {"legacy", "perhaps"},
                                                        {"trusted-proxies", "10.0.0.1/8"},
                                                        {"sms-to", "5551234567"},
                                                        {"log-level", "loud"},
                                                        {"vault", "shoebox"},
                                                        {"public-url", "https://gateway:80.example:443"},
                                                        {"public-url", "https://gateway.example:http"},
                                                        {"public-url", "https://[gateway.example]"},
                                                        {"public-url", "https://[2001:db8::1"},
                                                        {"public-url", "https://gateway,example"},
                                                        {"public-url", "gateway.example"}}) {
    input_.flags = {{name, value}};
    EXPECT_THAT(problem(), HasSubstr("flag --" + name + ": " + name)) << value;
  }
}

TEST_F(SettingsTest, EveryRowHasOneMeaningAndSecretsOnlyTheirOwnWay) {
  for (const auto& setting : settings_table()) {
    EXPECT_EQ(find_setting(setting.name)->setting, &setting);
    EXPECT_EQ(setting.kind == Setting::Kind::kSecret, setting.take != nullptr) << setting.name;
    EXPECT_NE(setting.apply == nullptr, setting.take == nullptr) << setting.name;
    EXPECT_EQ(lower_kebab(upper_snake(setting.name)), setting.name);
  }
  EXPECT_FALSE(find_setting("listen-file"));
  EXPECT_TRUE(find_setting("twilio-token-file")->is_file);
}

TEST(Networks, ContainWhatTheirBitsSay) {
  const auto contains = [](const char* network, const char* address) {
    return Network::parse(network).value().contains(parse_address(address).value());
  };
  EXPECT_TRUE(contains("192.0.2.0/24", "192.0.2.255"));
  EXPECT_FALSE(contains("192.0.2.0/24", "192.0.3.0"));
  EXPECT_TRUE(contains("192.0.2.128/25", "::ffff:192.0.2.200"));
  EXPECT_TRUE(contains("0.0.0.0/0", "8.8.8.8"));
  EXPECT_FALSE(contains("0.0.0.0/0", "2001:db8::1"));
  EXPECT_TRUE(contains("2001:db8::/33", "2001:db8:7fff::1"));
  EXPECT_FALSE(contains("2001:db8::/33", "2001:db8:8000::1"));
  EXPECT_TRUE(contains("::1", "::1"));
  EXPECT_FALSE(contains("::1", "::2"));
}

TEST(Networks, NonsenseIsRefused) {
  for (const char* text :
       {"", "/8", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/8x", "::/129", "ten", "10.1.0.0/8"}) {
    EXPECT_FALSE(Network::parse(text)) << text;
  }
  EXPECT_FALSE(Network::parse(std::string_view("::1\0x", 5)));
}

}  // namespace
}  // namespace zkv::gateway
