// Each part gets the settings that concern it, and its own copy of a secret.
#include "gateway.h"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <array>

#include "base/private_file.h"
#include "base/time.h"
#include "crypto/random.h"
#include "gateway/channel/registry.h"
#include "gateway/service/pin.h"
#include "gateway/vault/registry.h"

namespace zkv::cli {

namespace {

constexpr std::size_t kSealKeySize = 32;

using gateway::Settings;
using gateway::VaultKind;

gateway::AzureOptions azure_options(const Settings& settings) {
  gateway::AzureOptions options;
  options.vault_uri = settings.key_vault_uri;
  options.tenant_id = settings.azure_tenant_id;
  options.client_id = settings.azure_client_id;
  options.client_secret = settings.azure_client_secret.clone();
  options.resource = settings.azure_resource;
  options.authority = settings.azure_authority;
  options.api_version = settings.key_vault_api_version;
  options.ca_file = settings.azure_ca_file;
  return options;
}

gateway::VaultOptions vault_options(const Settings& settings) {
  if (settings.vault == VaultKind::kAzure) return azure_options(settings);
  return embedded_options(settings);
}

gateway::TwilioOptions twilio_options(const Settings& settings) {
  gateway::TwilioOptions options;
  options.account_id = settings.twilio_account_id;
  options.token = settings.twilio_token.clone();
  options.from = settings.sms_from;
  options.to = settings.sms_to;
  options.api_uri = settings.twilio_api_uri;
  options.ca_file = settings.twilio_ca_file;
  return options;
}

std::shared_ptr<gateway::PushPost> make_push_post(const Settings& settings) {
  return std::make_shared<gateway::PushPost>(gateway::WebPushOptions{
      settings.data_dir / "push.key", settings.push_subject, settings.push_hosts, host_name("gateway")});
}

Result<std::vector<std::unique_ptr<gateway::Channel>>> make_channels(
    const Settings& settings, std::shared_ptr<gateway::PushPost> push) {
  std::vector<std::unique_ptr<gateway::Channel>> channels;
  ZKV_TRY(auto console, gateway::make_channel(gateway::ConsoleOptions{}));
  channels.push_back(std::move(console));
  if (settings.twilio()) {
    ZKV_TRY(auto twilio, gateway::make_channel(twilio_options(settings)));
    channels.push_back(std::move(twilio));
  }
  ZKV_TRY(auto web_push, gateway::make_channel(gateway::WebPushChannelOptions{std::move(push)}));
  channels.push_back(std::move(web_push));
  return channels;
}

std::string with_remedy(const Error& error) {
  return error.remedy().empty() ? error.message() : error.message() + "; " + error.remedy();
}

/// An approval would be in vain: better known before somebody boots. Only where asking the vault is cheap.
void warn_without_key(const Settings& settings, gateway::Vault& vault) {
  if (!settings.legacy || settings.vault != VaultKind::kEmbedded) return;
  const auto key = vault.recover(settings.secret, {});
  if (!key) {
    spdlog::warn(
        "hosts of the first protocol cannot get their key yet: {} (enrolled hosts can; where there are no "
        "others, set legacy = false)",
        with_remedy(key.error()));
  }
}

gateway::http::LegacyOptions legacy_options(const Settings& settings) {
  gateway::http::LegacyOptions options;
  options.allow = settings.legacy_allow;
  options.public_url = settings.public_url;
  if (settings.twilio()) options.twilio_token = settings.twilio_token.clone();
  options.sms_to = settings.sms_to;
  return options;
}

/// The key's file is made last: a start that is cut off before is made anew by the next.
Result<std::unique_ptr<gateway::Store>> open_sealed_store(const Settings& settings) {
  const auto path = settings.data_dir / "seal.key";
  constexpr const char* kWhat = "the key that seals rows of the database";
  gateway::StoreOptions options;
  auto key = load_private_file(path, kSealKeySize, kWhat);
  options.adopts = !key && key.error().kind() == ErrorKind::kNotFound;
  if (!key && !options.adopts) return tl::unexpected(key.error());
  options.seal_key = std::make_shared<const SecretBytes>(options.adopts ? crypto::random_secret(kSealKeySize)
                                                                        : std::move(*key));
  ZKV_TRY(auto store, gateway::Store::open(settings.database, options));
  if (!options.adopts) return store;
  ZKV_CHECK(load_or_make_private_file(path, *options.seal_key, kWhat));
  ZKV_TRY(const auto head, store->audit_head());
  if (head) {
    spdlog::warn("{} was not there: the database's rows are sealed anew, whoever wrote them", path.string());
    ZKV_CHECK(store->append({now(), "gateway.adopt", "", "gateway", "rows were sealed under a new key"}));
  }
  return store;
}

}  // namespace

std::string host_name(const std::string& otherwise) {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : otherwise;
}

gateway::EmbeddedOptions embedded_options(const Settings& settings) {
  return {settings.database, settings.master_key_file, settings.master_key.clone()};
}

Result<std::unique_ptr<gateway::Service>> start_service(const Settings& settings,
                                                        std::shared_ptr<const gateway::Identity> identity) {
  ZKV_TRY(auto store, open_sealed_store(settings));
  ZKV_TRY(auto vault, gateway::make_vault(vault_options(settings)));
  auto push = make_push_post(settings);
  ZKV_TRY(auto channels, make_channels(settings, push));
  gateway::ServiceOptions options;
  options.push = std::move(push);
  options.secret = settings.secret;
  options.identity = std::move(identity);
  ZKV_TRY(options.pin_key, gateway::load_pin_key(settings.data_dir / "pin.key"));
  options.checkpoint_file = settings.data_dir / "audit.checkpoint";
  options.max_wait = settings.max_wait;
  options.pin_length = settings.pin_length;
  options.totp_groups = settings.totp_groups;
  options.on_store_failure = [](const Error& error) {
    spdlog::critical("the store did not take a change: {}", error.message());
  };
  options.on_vault_failure = [](const Error& error) {
    spdlog::error("an approved request got no key: {}", with_remedy(error));
  };
  options.on_damaged_request = [](const Error& error) { spdlog::error("{}", with_remedy(error)); };
  options.on_notice_withheld = [](const Error& error) { spdlog::warn("{}", with_remedy(error)); };
  spdlog::info("vault: {}", vault->description());
  warn_without_key(settings, *vault);
  for (const auto& channel : channels) spdlog::info("channel: {}", channel->description());
  return gateway::Service::start(std::move(store), std::move(vault), std::move(channels), std::move(options));
}

gateway::http::ServerOptions server_options(const Settings& settings,
                                            std::shared_ptr<const gateway::Identity> identity) {
  gateway::http::ServerOptions options;
  options.v2 = gateway::http::V2Options{std::move(identity), host_name("gateway"), settings.public_url,
                                        settings.page_dir, std::nullopt};
  if (settings.address_names) options.v2->address_names.emplace();
  options.listen = settings.listen;
  options.tls_certificate = settings.tls_certificate;
  options.tls_key = settings.tls_key;
  options.control_socket = settings.control_socket;
  options.trusted_proxies = settings.trusted_proxies;
  if (settings.legacy) options.legacy = legacy_options(settings);
  options.threads = settings.threads;
  options.connections = settings.connections;
  options.connections_per_address = settings.connections_per_address;
  return options;
}

}  // namespace zkv::cli
