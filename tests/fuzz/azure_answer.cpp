// Azure's answers: the JSON of tokens and secrets, and refusals.
#include "answers.h"
#include "gateway/vault/azure_refusal.h"
#include "gateway/vault/secret_json.h"
#include "gateway/vault/secret_rules.h"

namespace zkv::fuzz_azure_answer {
namespace {

void check_json(std::span<const std::uint8_t> body) {
  const auto json = gateway::SecretJson::parse(body);
  if (!json) return fuzz::require_words(json.error());
  for (const auto* pointer :
       {"/value", "/access_token", "/expires_in", "/attributes/enabled", "/error/code"}) {
    const auto text = json->text(pointer);
    const int kinds = (text ? 1 : 0) + (json->number(pointer) ? 1 : 0) + (json->boolean(pointer) ? 1 : 0);
    fuzz::require(kinds <= 1, "a value is of one type");
    if (!text) continue;
    const auto value = SecretBytes::copy_of(*text);
    if (const auto fits = gateway::check_secret_value(value); !fits) fuzz::require_words(fits.error());
  }
}

}  // namespace

ZKV_FUZZ_TARGET(azure_answer) {
  const auto response = fuzz::answer_of({data, size});
  check_json(response.body.span());
  static_cast<void>(gateway::reason_of(response));
  const gateway::AzureOptions options;
  for (const auto action : {gateway::AzureAction::kRecover, gateway::AzureAction::kDeposit,
                            gateway::AzureAction::kDelete, gateway::AzureAction::kPurge}) {
    fuzz::require_words(refusal_of(action, "the secret 'nas'", options, response));
  }
  return 0;
}

}  // namespace zkv::fuzz_azure_answer
