// Asking for a token, and what a refusal of it means.
#include "gateway/vault/azure_token.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <utility>

#include "gateway/vault/secret_json.h"
#include "net/form.h"

namespace zkv::gateway {

namespace {

constexpr std::size_t kTokenAnswerLimit = 64U << 10U;
constexpr std::int64_t kLongestLife = 24L * 60 * 60;  // seconds; Microsoft's last about one hour

struct Remedy {
  std::string_view code;  ///< as it occurs in error_description, or as `error`
  const char* text;
};
// Source: Microsoft Entra, "Authentication and authorization error codes".
constexpr std::array<Remedy, 8> kRemedies = {{
    {"AADSTS7000222", "the client secret has expired: make a new one and set AAD_CLIENT_SECRET"},
    {"AADSTS7000215", "check AAD_CLIENT_SECRET: it wants the secret's value, not its id"},
    {"AADSTS700016", "check AAD_CLIENT_ID and AAD_TENANT_ID: the tenant does not know this application"},
    {"AADSTS90002", "check AAD_TENANT_ID: there is no such tenant"},
    {"AADSTS900023", "check AAD_TENANT_ID: there is no such tenant"},
    {"AADSTS500011", "check AAD_RESOURCE: the tenant does not know it"},
    {"invalid_client", "check AAD_CLIENT_ID and AAD_CLIENT_SECRET"},
    {"invalid_scope", "check AAD_RESOURCE"},
}};

Error refusal(const AzureOptions& options, const net::HttpResponse& response) {
  std::string code = "no reason given";
  const char* remedy = "check AAD_TENANT_ID, AAD_CLIENT_ID and AAD_CLIENT_SECRET";
  if (const auto json = SecretJson::parse(response.body.span())) {
    const std::string_view name = json->text("/error").value_or("");
    const std::string_view description = json->text("/error_description").value_or("");
    if (!name.empty()) code = name.substr(0, 64);
    for (const auto& known : kRemedies) {
      if (name != known.code && !description.starts_with(std::string(known.code) + ":")) continue;
      if (name != known.code) code += fmt::format(" {}", known.code);
      remedy = known.text;
      break;
    }
  }
  return Error::denied(
             fmt::format("{} gives no token: {} (status {})", options.authority, code, response.status))
      .remedy(remedy);
}

SecretBytes bearer(std::string_view token) {
  SecretBuilder header;
  header.append("Bearer ");
  header.append(token);
  return header.take();
}

}  // namespace

AzureTokens::AzureTokens(const AzureOptions& options, net::HttpClient client, net::Clock clock)
    : options_(options), client_(std::move(client)), clock_(std::move(clock)) {}

Result<SecretBytes> AzureTokens::authorization(const SecretBytes* rejected, Time deadline,
                                               const std::stop_token& stop) {
  const std::lock_guard lock(mutex_);
  const bool is_rejected =
      rejected != nullptr && equal_in_constant_time(rejected->span(), authorization_.span());
  if (authorization_.empty() || is_rejected || clock_.now() >= renew_at_) ZKV_CHECK(renew(deadline, stop));
  return authorization_.clone();
}

Result<> AzureTokens::renew(Time deadline, const std::stop_token& stop) {
  authorization_ = {};
  net::HttpRequest request = token_request();
  const Time asked_at = clock_.now();
  ZKV_TRY(const net::HttpResponse response,
          net::send_patiently(client_, request, {.deadline = deadline}, clock_, stop));
  if (response.status >= 400 && response.status < 500 && response.status != 408 && response.status != 429) {
    return refusal(options_, response);
  }
  if (response.status != 200) {
    return Error::unavailable(
               fmt::format("{} gives no token: status {}", options_.authority, response.status))
        .remedy("try again; check that AAD_AUTHORITY_HOST_URI is right");
  }
  const auto json = SecretJson::parse(response.body.span());
  const auto token = json ? json->text("/access_token").value_or("") : std::string_view();
  if (token.empty()) {
    return Error::unavailable(fmt::format("{} answers without a token", options_.authority))
        .remedy("check that AAD_AUTHORITY_HOST_URI is right");
  }
  const std::chrono::seconds life(
      std::clamp<std::int64_t>(json->number("/expires_in").value_or(0), 0, kLongestLife));
  authorization_ = bearer(token);
  renew_at_ = asked_at + life - std::min<std::chrono::seconds>(std::chrono::minutes(5), life / 10);
  return {};
}

net::HttpRequest AzureTokens::token_request() const {
  net::HttpRequest request;
  request.method = "POST";
  request.url =
      fmt::format("{}/{}/oauth2/v2.0/token", options_.authority, net::percent_encode(options_.tenant_id));
  request.headers = {{"Accept", "application/json"}};
  net::FormBuilder form;
  form.add("grant_type", "client_credentials")
      .add("client_id", options_.client_id)
      .add("client_secret", options_.client_secret.view())
      .add("scope", options_.resource + "/.default");
  request.body = form.take();
  request.timeout = options_.attempt_limit;
  request.response_limit = kTokenAnswerLimit;
  return request;
}

}  // namespace zkv::gateway
