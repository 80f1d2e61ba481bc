// What the gateway is told to be: every setting in its final form, read from all the places it may stand in.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/secret_bytes.h"
#include "gateway/settings/network.h"

namespace zkv::gateway {

struct ListenAddress {
  AddressBytes host{};
  std::uint16_t port = 0;  ///< 0: the system chooses
};

enum class VaultKind : std::uint8_t { kEmbedded, kAzure };

struct Settings {
  ListenAddress listen;
  std::filesystem::path data_dir;
  std::filesystem::path database;
  std::filesystem::path control_socket;
  std::string public_url;          ///< without a trailing slash; empty: not known
  std::filesystem::path page_dir;  ///< of the built page; empty: none
  std::filesystem::path tls_certificate;
  std::filesystem::path tls_key;
  std::vector<Network> trusted_proxies;
  unsigned threads = 0;  ///< 0: as many as cores, at most 4
  unsigned connections = 0;
  unsigned connections_per_address = 0;
  std::string log_level;

  bool address_names = true;  ///< the page shows what the DNS calls the address of a host
  std::optional<bool> legacy_wanted;
  bool legacy = false;
  std::vector<Network> legacy_allow;  ///< empty: everybody
  std::chrono::seconds max_wait{};
  unsigned pin_length = 0;

  std::optional<VaultKind> vault_wanted;
  VaultKind vault = VaultKind::kEmbedded;
  std::string secret;  ///< the vault's name of the repository key
  std::filesystem::path master_key_file;
  SecretBytes master_key;  ///< from a systemd credential; else empty

  std::string key_vault_uri;
  std::string key_vault_api_version;
  std::string azure_tenant_id;
  std::string azure_client_id;
  SecretBytes azure_client_secret;
  std::string azure_resource;
  std::string azure_authority;
  std::filesystem::path azure_ca_file;

  std::string twilio_account_id;
  SecretBytes twilio_token;
  std::string twilio_api_uri;
  std::filesystem::path twilio_ca_file;
  std::string sms_to;
  std::string sms_from;

  std::vector<std::string> totp_groups;  ///< whose hosts may be decided by codes of apps; empty: no codes

  std::string push_subject;             ///< empty: none
  std::vector<std::string> push_hosts;  ///< lower case; host, *.host, or an origin

  [[nodiscard]] bool tls() const { return !tls_certificate.empty(); }
  [[nodiscard]] bool twilio() const { return !twilio_account_id.empty(); }
};

/// A database outside the data directory, and what comes of that under the packaged unit.
struct StrayDatabase {
  std::string what;
  std::string remedy;
  bool vanishes = false;  ///< else it cannot be written
};
std::optional<StrayDatabase> stray_database(const Settings& settings);

/// One setting for `config check`: its name, its value (a secret masked) and where that came from.
struct Effective {
  std::string name;
  std::string value;
  std::string origin;
};

struct Loaded {
  Settings settings;
  std::vector<Effective> effective;  ///< all, in the order of the table
  std::vector<std::string> warnings;
  std::vector<Error> problems;  ///< with any of these, `settings` is not to be used
};

struct LoadInput {
  std::optional<std::filesystem::path>
      config;  ///< the TOML file; without one the default place, if it is there
  std::vector<std::pair<std::string, std::string>> flags;  ///< name without dashes, value
};

/// The TOML file that load_settings() reads: the given one, or that of ZKV_CONFIG, or the default place's, if
/// it is there.
std::optional<std::filesystem::path> configuration_file(const LoadInput& input);

/// Reads defaults < TOML < the seed's file (named by CONFIG_FILE) < environment < systemd credentials <
/// flags. Secrets that stood in the environment are wiped there and removed. To be called before there are
/// threads.
Loaded load_settings(const LoadInput& input);

}  // namespace zkv::gateway
