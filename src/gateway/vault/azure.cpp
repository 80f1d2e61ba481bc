// Reading one secret from Azure Key Vault, and what each refusal means.
#include "gateway/vault/azure.h"

#include <fmt/core.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "gateway/vault/azure_token.h"
#include "gateway/vault/secret_json.h"
#include "net/address.h"
#include "net/form.h"

namespace zkv::gateway {

namespace {

constexpr std::size_t kSecretAnswerLimit = 128U << 10U;  // a secret of Azure's has at most 25 KB

class AzureVault : public Vault {
 public:
  AzureVault(AzureOptions options, net::Clock clock)
      : options_(std::move(options)),
        clock_(std::move(clock)),
        client_({.ca_file = options_.ca_file}),
        tokens_(options_, client_, clock_) {}

  [[nodiscard]] std::string description() const override {
    return "Azure Key Vault at " + options_.vault_uri;
  }

  Result<SecretBytes> recover(const std::string& name, const std::stop_token& stop) override;

 private:
  Result<net::HttpResponse> get(const std::string& name, const SecretBytes& authorization, Time deadline,
                                const std::stop_token& stop);
  [[nodiscard]] Error refusal(const std::string& name, const net::HttpResponse& response) const;
  [[nodiscard]] Error forbidden(const std::string& secret, std::string_view reason) const;
  [[nodiscard]] Result<> check_attributes(const std::string& name, const SecretJson& json) const;
  [[nodiscard]] std::string called(const std::string& name) const {
    return fmt::format("the secret '{}' in {}", name, options_.vault_uri);
  }

  AzureOptions options_;
  net::Clock clock_;
  net::HttpClient client_;
  AzureTokens tokens_;
};

Result<SecretBytes> AzureVault::recover(const std::string& name, const std::stop_token& stop) {
  const Time deadline = clock_.now() + options_.time_limit;
  ZKV_TRY(SecretBytes authorization, tokens_.authorization(nullptr, deadline, stop));
  ZKV_TRY(net::HttpResponse response, get(name, authorization, deadline, stop));
  if (response.status == 401) {
    ZKV_TRY(authorization, tokens_.authorization(&authorization, deadline, stop));
    ZKV_TRY(response, get(name, authorization, deadline, stop));
  }
  if (response.status != 200) return refusal(name, response);
  const auto json = SecretJson::parse(response.body.span());
  const auto value = json ? json->text("/value") : std::nullopt;
  if (!value) {
    return Error::unavailable(called(name) + " was answered without a value")
        .remedy("check that KEY_VAULT_URI is the address of a key vault");
  }
  ZKV_CHECK(check_attributes(name, *json));
  return SecretBytes::copy_of(*value);
}

Result<net::HttpResponse> AzureVault::get(const std::string& name, const SecretBytes& authorization,
                                          Time deadline, const std::stop_token& stop) {
  net::HttpRequest request;
  request.url = fmt::format("{}/secrets/{}?api-version={}", options_.vault_uri, net::percent_encode(name),
                            net::percent_encode(options_.api_version));
  request.headers = {{"Accept", "application/json"}};
  request.secret_headers.emplace_back("Authorization", authorization.clone());
  request.timeout = options_.attempt_limit;
  request.response_limit = kSecretAnswerLimit;
  return net::send_patiently(client_, request, {.deadline = deadline}, clock_, stop);
}

Error AzureVault::refusal(const std::string& name, const net::HttpResponse& response) const {
  const auto json = SecretJson::parse(response.body.span());
  const auto text = [&json](std::string_view pointer) {
    return std::string(json ? json->text(pointer).value_or("").substr(0, 64) : std::string_view());
  };
  const std::string inner = text("/error/innererror/code");
  const std::string reason = inner.empty() ? text("/error/code") : inner;
  switch (response.status) {
    case 401:
      return Error::denied(fmt::format("{} does not accept the token", options_.vault_uri))
          .remedy("check that AAD_TENANT_ID is the vault's tenant, and AAD_RESOURCE");
    case 403:
      return forbidden(called(name), reason);
    case 404:
      return Error::not_found(called(name) + " does not exist")
          .remedy("create it, or set KEY_VAULT_SECRET to the right name");
    default:
      return Error::unavailable(
                 fmt::format("{} was not given: status {} {}", called(name), response.status, reason))
          .remedy(response.status == 429 ? "the vault is asked too often: try again later"
                                         : "try again; look at Azure's status if it stays so");
  }
}

Error AzureVault::forbidden(const std::string& secret, std::string_view reason) const {
  if (reason == "SecretDisabled") {
    return Error::denied(secret + " is disabled").remedy("enable its current version, or add a new one");
  }
  if (reason == "ForbiddenByFirewall") {
    return Error::denied(secret + " is not given to this address")
        .remedy("let this gateway's address through the vault's firewall");
  }
  return Error::denied(fmt::format("{} may not be read by the application {}", secret, options_.client_id))
      .remedy("give it the role 'Key Vault Secrets User', or the access policy Get on secrets");
}

Result<> AzureVault::check_attributes(const std::string& name, const SecretJson& json) const {
  const Time at = clock_.now();
  const auto not_before = json.number("/attributes/nbf");
  const auto expires = json.number("/attributes/exp");
  if (!json.boolean("/attributes/enabled").value_or(true)) return forbidden(called(name), "SecretDisabled");
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
