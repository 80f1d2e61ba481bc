// The rows, and finding them by a right or nearly right name.
#include "gateway/settings/table.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <numeric>
#include <vector>

#include "gateway/settings/values.h"

namespace zkv::gateway {

namespace {

using Kind = Setting::Kind;
using Text = std::string_view;

/// The apply function for a member of Settings that is read by `parse`.
template <auto member, auto parse, auto... limits>
Result<> set(Settings& settings, Text value) {
  ZKV_TRY(auto parsed, parse(value, limits...));
  settings.*member = std::move(parsed);
  return {};
}

template <auto member>
Result<> set_text(Settings& settings, Text value) {
  settings.*member = std::string(value);
  return {};
}

template <auto member>
void take_secret(Settings& settings, SecretBytes value) {
  settings.*member = std::move(value);
}

Result<> set_max_wait(Settings& settings, Text value) {
  ZKV_TRY(const unsigned seconds, parse_number(value, 1, 86'400));
  settings.max_wait = std::chrono::seconds(seconds);
  return {};
}

Result<> set_vault(Settings& settings, Text value) {
  ZKV_TRY(const auto word, parse_choice(value, {"embedded", "azure"}));
  settings.vault_wanted = word == "azure" ? VaultKind::kAzure : VaultKind::kEmbedded;
  return {};
}

Result<> set_log_level(Settings& settings, Text value) {
  ZKV_TRY(settings.log_level, parse_choice(value, {"trace", "debug", "info", "warning", "error"}));
  return {};
}

constexpr auto kTable = std::to_array<Setting>({
    {"listen", "", Kind::kText, "127.0.0.1:8443", "address and port to serve; port 0: a free one",
     set<&Settings::listen, parse_listen>},
    {"data-dir", "", Kind::kText, "/var/lib/zkvgateway", "where the database and the master key are kept",
     set_text<&Settings::data_dir>},
    {"public-url", "", Kind::kText, "", "this gateway's address as Twilio and people see it",
     set<&Settings::public_url, parse_public_url>},
    {"page-dir", "", Kind::kText, "",
     "folder of the built page; default: /usr/share/zfs-keyvault/page, if it is there",
     set_text<&Settings::page_dir>},
    {"address-names", "", Kind::kBoolean, "true", "show on the page what the DNS calls a host's address",
     set<&Settings::address_names, parse_switch>},
    {"tls-certificate", "", Kind::kText, "", "PEM file: certificate and chain; read again when it changes",
     set_text<&Settings::tls_certificate>},
    {"tls-key", "", Kind::kText, "", "PEM file: the certificate's private key", set_text<&Settings::tls_key>},
    {"trusted-proxies", "", Kind::kList, "", "networks whose X-Forwarded-For and -Proto are believed",
     set<&Settings::trusted_proxies, parse_proxies>},
    {"control-socket", "", Kind::kText, "",
     "unix socket of `zkvgateway request`; default: DATA_DIR/control.sock",
     set_text<&Settings::control_socket>},
    {"threads", "", Kind::kNumber, "", "threads that serve; default: one a core, at most 4",
     set<&Settings::threads, parse_number, 1U, 64U>},
    {"connections", "", Kind::kNumber, "20000", "most connections at once",
     set<&Settings::connections, parse_number, 1U, 1'000'000U>},
    {"connections-per-address", "", Kind::kNumber, "256", "most of them from one address",
     set<&Settings::connections_per_address, parse_number, 1U, 1'000'000U>},
    {"log-level", "", Kind::kText, "info", "trace, debug, info, warning or error", set_log_level},
    {"legacy", "", Kind::kBoolean, "",
     "serve /request-keys and /incoming-message; default: when secret is named",
     set<&Settings::legacy_wanted, parse_switch>},
    {"legacy-allow", "", Kind::kList, "", "networks that may ask at /request-keys; default: all",
     set<&Settings::legacy_allow, parse_networks>},
    {"max-wait", "", Kind::kNumber, "60", "seconds a request waits for a person", set_max_wait},
    {"pin-length", "", Kind::kNumber, "6", "digits of a PIN",
     set<&Settings::pin_length, parse_number, 4U, 18U>},
    {"sqlalchemy-database-uri", "", Kind::kText, "", "sqlite:////path; default: DATA_DIR/gateway.db",
     set<&Settings::database, parse_database_uri>},
    {"vault", "", Kind::kText, "", "embedded or azure; default: azure when key-vault-uri is given",
     set_vault},
    {"secret", "key-vault-secret", Kind::kText, "", "the vault's name of the repository key",
     set_text<&Settings::secret>},
    {"master-key-file", "", Kind::kText, "", "the embedded vault's key; default: DATA_DIR/master.key",
     set_text<&Settings::master_key_file>},
    {"key-vault-uri", "", Kind::kText, "", "https://NAME.vault.azure.net",
     set<&Settings::key_vault_uri, parse_outside_url>},
    {"key-vault-api-version", "", Kind::kText, "7.4", "of Azure Key Vault's interface",
     set_text<&Settings::key_vault_api_version>},
    {"aad-tenant-id", "", Kind::kText, "", "directory of the Azure application",
     set_text<&Settings::azure_tenant_id>},
    {"aad-client-id", "", Kind::kText, "", "the Azure application's id",
     set_text<&Settings::azure_client_id>},
    {"aad-client-secret", "", Kind::kSecret, "", "the Azure application's secret", nullptr,
     take_secret<&Settings::azure_client_secret>},
    {"aad-resource", "", Kind::kText, "https://vault.azure.net", "what the token is asked for",
     set<&Settings::azure_resource, parse_outside_url>},
    {"aad-authority-host-uri", "", Kind::kText, "https://login.microsoftonline.com", "who issues the token",
     set<&Settings::azure_authority, parse_outside_url>},
    {"azure-ca-file", "", Kind::kText, "", "PEM file: trusted roots for Azure in place of the system's",
     set_text<&Settings::azure_ca_file>},
    {"twilio-account-id", "", Kind::kText, "", "Twilio account SID", set_text<&Settings::twilio_account_id>},
    {"twilio-token", "", Kind::kSecret, "", "Twilio auth token", nullptr,
     take_secret<&Settings::twilio_token>},
    {"twilio-api-uri", "", Kind::kText, "https://api.twilio.com", "Twilio's address",
     set<&Settings::twilio_api_uri, parse_outside_url>},
    {"twilio-ca-file", "", Kind::kText, "", "PEM file: trusted roots for Twilio in place of the system's",
     set_text<&Settings::twilio_ca_file>},
    {"totp-groups", "", Kind::kList, "",
     "groups of hosts that may be decided by codes of an authenticator app; default: none",
     set<&Settings::totp_groups, parse_groups>},
    {"push-subject", "", Kind::kText, "",
     "whom push services turn to, mailto: or https:; default: public-url, if https",
     set<&Settings::push_subject, parse_push_subject>},
    {"push-hosts", "", Kind::kList,
     "fcm.googleapis.com,*.push.services.mozilla.com,*.push.apple.com,*.notify.windows.com",
     "push services that messages may go to", set<&Settings::push_hosts, parse_push_hosts>},
    {"sms-to", "", Kind::kText, "", "the approver's telephone number",
     set<&Settings::sms_to, parse_phone_number>},
    {"sms-from", "", Kind::kText, "", "the number that the SMS come from",
     set<&Settings::sms_from, parse_phone_number>},
});

constexpr Text kFileSuffix = "-file";

/// How many insertions, deletions and replacements lead from one to the other.
std::size_t edit_distance(Text left, Text right) {
  std::vector<std::size_t> row(right.size() + 1);
  std::iota(row.begin(), row.end(), 0U);
  for (std::size_t i = 1; i <= left.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= right.size(); ++j) {
      const std::size_t replaced = diagonal + (left[i - 1] == right[j - 1] ? 0 : 1);
      diagonal = std::exchange(row[j], std::min({replaced, row[j] + 1, row[j - 1] + 1}));
    }
  }
  return row.back();
}

std::vector<std::string> all_names() {
  std::vector<std::string> names;
  for (const auto& setting : kTable) {
    names.emplace_back(setting.name);
    if (!setting.alias.empty()) names.emplace_back(setting.alias);
    if (setting.kind == Kind::kSecret) names.push_back(std::string(setting.name) + std::string(kFileSuffix));
  }
  return names;
}

const Setting* find_row(Text name) {
  const auto* const row = std::find_if(kTable.begin(), kTable.end(), [&](const Setting& setting) {
    return setting.name == name || (!setting.alias.empty() && setting.alias == name);
  });
  return row == kTable.end() ? nullptr : row;
}

}  // namespace

std::span<const Setting> settings_table() { return kTable; }

std::optional<SettingName> find_setting(Text name) {
  if (const auto* row = find_row(name)) return SettingName{row, false};
  if (!name.ends_with(kFileSuffix)) return std::nullopt;
  const auto* row = find_row(name.substr(0, name.size() - kFileSuffix.size()));
  if (row == nullptr || row->kind != Kind::kSecret) return std::nullopt;
  return SettingName{row, true};
}

std::string nearest_setting(Text name) {
  std::string nearest;
  std::size_t least = std::max<std::size_t>(2, name.size() / 3) + 1;
  for (auto& candidate : all_names()) {
    const std::size_t distance = edit_distance(name, candidate);
    if (distance < least) {
      least = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

std::string lower_kebab(Text upper_snake) {
  std::string name(upper_snake);
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return c == '_' ? '-' : static_cast<char>(std::tolower(c)); });
  return name;
}

std::string upper_snake(Text lower_kebab) {
  std::string name(lower_kebab);
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return c == '-' ? '_' : static_cast<char>(std::toupper(c)); });
  return name;
}

}  // namespace zkv::gateway
