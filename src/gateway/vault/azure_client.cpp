// The request of a call, and when to send it again.
#include "gateway/vault/azure_client.h"

#include <fmt/core.h>

#include <utility>

#include "gateway/vault/azure_refusal.h"
#include "net/form.h"

namespace zkv::gateway {

namespace {

constexpr std::size_t kSecretAnswerLimit = 128U << 10U;  // a secret of Azure's has at most 25 KB
constexpr std::chrono::seconds kBetweenLooks(2);         // intervalInMs of @azure/keyvault-secrets

net::HttpRequest request_of(AzureCall call, const AzureOptions& options) {
  net::HttpRequest request;
  request.method = std::move(call.method);
  request.url = fmt::format("{}/{}/{}?api-version={}", options.vault_uri, call.collection,
                            net::percent_encode(call.name), net::percent_encode(options.api_version));
  request.headers = {{"Accept", "application/json"}};
  if (!call.body.empty()) request.headers.emplace_back("Content-Type", "application/json");
  request.body = std::move(call.body);
  request.timeout = options.attempt_limit;
  request.response_limit = kSecretAnswerLimit;
  return request;
}

/// Deleting and purging go on for seconds after they were answered; any other call on the name is refused
/// until then. A name that is held by a deleted secret does not become free by waiting.
bool is_still_at_work(const net::HttpResponse& response) {
  return response.status == 409 && reason_of(response) != kDeletedButRecoverable;
}

}  // namespace

AzureClient::AzureClient(const AzureOptions& options, net::Clock clock)
    : options_(options),
      clock_(std::move(clock)),
      client_({.ca_file = options_.ca_file}),
      tokens_(options_, client_, clock_) {}

AzureTerm AzureClient::term(const std::stop_token& stop) const {
  return {.deadline = clock_.now() + options_.time_limit, .stop = stop};
}

Result<net::HttpResponse> AzureClient::call(AzureCall call, const AzureTerm& term) {
  net::HttpRequest request = request_of(std::move(call), options_);
  while (true) {
    ZKV_TRY(net::HttpResponse response, send(request, term));
    if (!is_still_at_work(response)) return response;
    ZKV_TRY(const bool goes_on, pause(term));
    if (!goes_on) return response;
  }
}

Result<bool> AzureClient::pause(const AzureTerm& term) const {
  if (clock_.now() + kBetweenLooks >= term.deadline) return false;
  ZKV_CHECK(clock_.wait(kBetweenLooks, term.stop));
  return true;
}

Result<net::HttpResponse> AzureClient::send(net::HttpRequest& request, const AzureTerm& term) {
  SecretBytes rejected;
  while (true) {
    ZKV_TRY(SecretBytes authorization,
            tokens_.authorization(rejected.empty() ? nullptr : &rejected, term.deadline, term.stop));
    request.secret_headers.clear();
    request.secret_headers.emplace_back("Authorization", authorization.clone());
    ZKV_TRY(net::HttpResponse response,
            net::send_patiently(client_, request, {.deadline = term.deadline}, clock_, term.stop));
    if (response.status != 401 || !rejected.empty()) return response;
    rejected = std::move(authorization);
  }
}

}  // namespace zkv::gateway
