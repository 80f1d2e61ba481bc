// The three steps, each of which may find that it was done before.
#include "gateway/vault/azure_deletion.h"

#include <fmt/core.h>

#include <utility>

#include "gateway/vault/secret_json.h"

namespace zkv::gateway {

namespace {

/// A secret on its way to the deleted ones is seen nowhere for some seconds, so that one look that finds
/// nothing does not show that there is nothing: an earlier call may have deleted it just now.
constexpr unsigned kLooksForNothing = 3;

/// 404 in the vault's own words; one of a proxy, or of another server, says nothing about a secret.
bool is_missing(const net::HttpResponse& response) {
  return response.status == 404 && reason_of(response) == "SecretNotFound";
}

}  // namespace

AzureDeletion::AzureDeletion(AzureClient& client, const AzureOptions& options, std::string name,
                             std::string secret, AzureTerm term)
    : client_(client),
      options_(options),
      name_(std::move(name)),
      secret_(std::move(secret)),
      term_(std::move(term)) {}

Result<> AzureDeletion::run() {
  ZKV_CHECK(remove());
  ZKV_TRY(const bool is_deleted, await_deleted());
  if (!is_deleted) return {};
  return purge();
}

Result<> AzureDeletion::remove() {
  ZKV_TRY(const auto response, client_.call({.method = "DELETE", .name = name_}, term_));
  if (is_missing(response)) return {};
  if (response.status != 200) return refusal(AzureAction::kDelete, response);
  ZKV_TRY(deleted_, read(response));
  return {};
}

Result<bool> AzureDeletion::await_deleted() {
  for (unsigned look = 1;; ++look) {
    ZKV_TRY(const auto response, client_.call({.collection = "deletedsecrets", .name = name_}, term_));
    if (response.status == 403) return true;  // what may not be looked at may still be purged
    if (response.status == 200) {
      ZKV_TRY(deleted_, read(response));
      return true;
    }
    if (!is_missing(response)) return refusal(AzureAction::kPurge, response);
    if (!deleted_ && look == kLooksForNothing) return false;
    ZKV_TRY(const bool goes_on, client_.pause(term_));
    if (goes_on) continue;
    return Error::unavailable(subject() + " was not purged: Azure has not yet done with deleting it")
        .remedy("try again in some minutes");
  }
}

Result<> AzureDeletion::purge() {
  ZKV_TRY(const auto response,
          client_.call({.method = "DELETE", .collection = "deletedsecrets", .name = name_}, term_));
  if (response.status == 204 || is_missing(response)) return {};
  if (response.status == 403 && deleted_ && deleted_->is_protected) return kept();
  return refusal(AzureAction::kPurge, response);
}

Error AzureDeletion::kept() const {
  const std::string until =
      deleted_->purged_at ? to_text(Time(std::chrono::seconds(*deleted_->purged_at))) : "its scheduled date";
  return Error::unsupported(
             fmt::format("{} can be brought back until {}: the vault has purge protection", subject(), until))
      .remedy(
          "Azure purges it by itself then, nobody can sooner; if its value must be worthless now, change "
          "what "
          "it opens");
}

Result<AzureDeletion::Deleted> AzureDeletion::read(const net::HttpResponse& response) const {
  const auto json = SecretJson::parse(response.body.span());
  if (!json || !json->text("/recoveryId")) {
    return Error::unavailable(subject() + " was not purged: the answer names no deleted secret")
        .remedy("check that KEY_VAULT_URI is the address of a key vault");
  }
  const std::string_view level = json->text("/attributes/recoveryLevel").value_or("");
  return Deleted{.is_protected = !level.empty() && level.find("Purgeable") == std::string_view::npos,
                 .purged_at = json->number("/scheduledPurgeDate")};
}

Error AzureDeletion::refusal(AzureAction action, const net::HttpResponse& response) const {
  return refusal_of(action, subject(), options_, response);
}

std::string AzureDeletion::subject() const { return deleted_ ? secret_ + " is deleted, but" : secret_; }

}  // namespace zkv::gateway
