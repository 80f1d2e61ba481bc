// The secrets of one Azure Key Vault, and which settings make it.
#include "gateway/vault/azure.h"

#include <fmt/core.h>

#include <string_view>
#include <utility>

#include "gateway/vault/azure_client.h"
#include "gateway/vault/azure_deletion.h"
#include "gateway/vault/azure_refusal.h"
#include "gateway/vault/secret_json.h"
#include "gateway/vault/secret_rules.h"
#include "net/address.h"

namespace zkv::gateway {

namespace {

class AzureVault : public Vault {
 public:
  AzureVault(AzureOptions options, net::Clock clock)
      : options_(std::move(options)), clock_(std::move(clock)), client_(options_, clock_) {}

  [[nodiscard]] std::string description() const override {
    return "Azure Key Vault at " + options_.vault_uri;
  }

  Result<SecretBytes> recover(const std::string& name, const std::stop_token& stop) override;
  Result<SecretFacts> look(const std::string& name, const std::stop_token& stop) override;
  Result<> deposit(const std::string& name, const SecretBytes& value, const std::stop_token& stop) override;
  Result<> destroy(const std::string& name, const std::stop_token& stop) override;

 private:
  [[nodiscard]] Result<SecretJson> get(const std::string& name, const std::stop_token& stop);
  [[nodiscard]] Result<> check_attributes(const std::string& name, const SecretJson& json) const;
  [[nodiscard]] std::string called(const std::string& name) const {
    return fmt::format("the secret '{}' in {}", name, options_.vault_uri);
  }

  AzureOptions options_;
  net::Clock clock_;
  AzureClient client_;
};

Error no_vault(const std::string& what) {
  return Error::unavailable(what).remedy("check that KEY_VAULT_URI is the address of a key vault");
}

/// {"value": …} in secret memory. `value` is printable ASCII.
SecretBytes secret_bundle(const SecretBytes& value) {
  SecretBuilder body;
  body.append(R"({"value":")");
  for (const std::uint8_t letter : value.span()) {
    if (letter == '"' || letter == '\\') body.push_back('\\');
    body.push_back(letter);
  }
  body.append(R"("})");
  return body.take();
}

/// The current version, as far as it may be used now.
Result<SecretJson> AzureVault::get(const std::string& name, const std::stop_token& stop) {
  ZKV_TRY(const auto response, client_.call({.name = name}, client_.term(stop)));
  if (response.status != 200) return refusal_of(AzureAction::kRecover, called(name), options_, response);
  auto json = SecretJson::parse(response.body.span());
  if (!json || !json->text("/value")) return no_vault(called(name) + " was answered without a value");
  ZKV_CHECK(check_attributes(name, *json));
  return json;
}

Result<SecretBytes> AzureVault::recover(const std::string& name, const std::stop_token& stop) {
  ZKV_TRY(const auto json, get(name, stop));
  return SecretBytes::copy_of(*json.text("/value"));
}

/// Attributes alone are had by listing, which needs a permission that a gateway otherwise does not.
Result<SecretFacts> AzureVault::look(const std::string& name, const std::stop_token& stop) {
  ZKV_TRY(const auto json, get(name, stop));
  SecretFacts facts;
  if (const auto expires = json.number("/attributes/exp")) {
    facts.expires = Time(std::chrono::seconds(*expires));
  }
  return facts;
}

Result<> AzureVault::deposit(const std::string& name, const SecretBytes& value, const std::stop_token& stop) {
  ZKV_CHECK(check_secret_name(name));
  ZKV_CHECK(check_secret_value(value));
  AzureCall call{.method = "PUT", .name = name, .body = secret_bundle(value)};
  ZKV_TRY(const auto response, client_.call(std::move(call), client_.term(stop)));
  if (response.status != 200) return refusal_of(AzureAction::kDeposit, called(name), options_, response);
  const auto json = SecretJson::parse(response.body.span());
  const auto stored = json ? json->text("/value") : std::nullopt;
  if (stored && equal_in_constant_time(bytes_of(*stored), value.span())) return {};
  return no_vault(called(name) + " was not stored: the answer does not repeat it");
}

Result<> AzureVault::destroy(const std::string& name, const std::stop_token& stop) {
  ZKV_CHECK(check_secret_name(name));
  return AzureDeletion(client_, options_, name, called(name), client_.term(stop)).run();
}

Result<> AzureVault::check_attributes(const std::string& name, const SecretJson& json) const {
  const Time at = clock_.now();
  const auto not_before = json.number("/attributes/nbf");
  const auto expires = json.number("/attributes/exp");
  if (!json.boolean("/attributes/enabled").value_or(true)) return disabled(called(name));
  if (not_before && at < Time(std::chrono::seconds(*not_before))) {
    return Error::denied(fmt::format("{} is not valid before {}", called(name),
                                     to_text(Time(std::chrono::seconds(*not_before)))))
        .remedy("change its activation date, or check this machine's clock");
  }
  if (expires && at >= Time(std::chrono::seconds(*expires))) {
    return Error::denied(
               fmt::format("{} expired at {}", called(name), to_text(Time(std::chrono::seconds(*expires)))))
        .remedy("add a new version, or change its expiration date");
  }
  return {};
}

Result<> require(const std::string& value, const char* setting) {
  if (!value.empty()) return {};
  return Error::invalid(fmt::format("{} is not set", setting)).remedy("the vault 'azure' needs it");
}

/// Normalises one address of the settings: no slash at the end, plain http to loopback only.
Result<net::Address> check_address(std::string& url, const char* setting) {
  ZKV_CHECK(require(url, setting));
  while (url.ends_with('/')) url.pop_back();
  auto address = net::parse_address(url);
  if (!address) return std::move(address).error().context(setting);
  if (!address->is_secure() && !address->is_loopback()) {
    return Error::invalid(fmt::format("{} is plain http", setting)).remedy("use https://");
  }
  return address;
}

bool may_have_token(const net::Address& vault, const net::Address& resource) {
  return vault.is_loopback() || vault.host == resource.host || vault.host.ends_with("." + resource.host);
}

}  // namespace

Result<std::unique_ptr<Vault>> make_azure_vault(AzureOptions options, net::Clock clock) {
  ZKV_CHECK(require(options.tenant_id, "AAD_TENANT_ID"));
  ZKV_CHECK(require(options.client_id, "AAD_CLIENT_ID"));
  if (options.client_secret.empty()) return require("", "AAD_CLIENT_SECRET").error();
  ZKV_TRY(const net::Address vault, check_address(options.vault_uri, "KEY_VAULT_URI"));
  ZKV_TRY(const net::Address resource, check_address(options.resource, "AAD_RESOURCE"));
  ZKV_CHECK(check_address(options.authority, "AAD_AUTHORITY_HOST_URI"));
  if (!may_have_token(vault, resource)) {
    return Error::invalid(
               fmt::format("KEY_VAULT_URI names {}, which is not within {} of AAD_RESOURCE: no token "
                           "is sent there",
                           vault.host, resource.host))
        .remedy("check KEY_VAULT_URI; for another cloud set AAD_RESOURCE too");
  }
  return std::make_unique<AzureVault>(std::move(options), std::move(clock));
}

}  // namespace zkv::gateway
