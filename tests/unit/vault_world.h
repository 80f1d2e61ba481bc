// Worlds for tests of vaults: an Azure on loopback, and an embedded vault in a directory of its own.
#pragma once

#include <fmt/core.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "fake_time.h"
#include "gateway/vault/registry.h"
#include "gateway/vault/vault.h"
#include "http_server.h"

namespace zkv::gateway {

constexpr Time kStart{std::chrono::seconds(1'800'000'000)};
constexpr const char* kShare = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=";

inline Error error_of(const Result<SecretBytes>& result) {
  return result ? Error::internal("a secret was given") : result.error();
}

inline std::string text_of(const Result<SecretBytes>& result) {
  return result ? std::string(result->view()) : "error: " + result.error().message();
}

inline Error error_of(const Result<>& result) {
  return result ? Error::internal("it succeeded") : result.error();
}

/// Azure's two services on one loopback port: tokens "t1", "t2", … and secrets by name, which are deleted
/// softly.
class FakeAzure {
 public:
  FakeAzure() : server([this](const test::ReceivedRequest& request) { return serve(request); }) {}

  void put(const std::string& name, const std::string& value,
           const std::string& attributes = R"("enabled":true)") {
    secrets_[name] = fmt::format(R"({{"value":"{}","id":"x","attributes":{{{}}}}})", value, attributes);
  }
  bool has(const std::string& name) const { return secrets_.contains(name); }
  bool has_deleted(const std::string& name) const { return deleted_.contains(name); }
  /// The request lines after those for tokens, without their query.
  std::vector<std::string> lines() const {
    std::vector<std::string> found;
    for (const auto& request : server.requests()) {
      const std::string line = request.line();
      if (line.find("/oauth2/") == std::string::npos) found.push_back(line.substr(0, line.find('?')));
    }
    return found;
  }

  std::vector<test::RawAnswer> token_answers = {};   ///< given before the usual ones
  std::vector<test::RawAnswer> secret_answers = {};  ///< given before the usual ones
  int tokens_given = 0;
  int first_valid_token = 1;
  int token_life = 3600;
  int busy_answers = 0;       ///< so often a deleted secret is still on its way after it was deleted
  bool is_protected = false;  ///< from purging
  bool may_look = true;       ///< at deleted secrets
  std::string lose_next_answer_to = {};  ///< the begin of a request line: it is carried out, and not answered
  test::HttpServer server;

 private:
  using Secrets = std::map<std::string, std::string>;

  test::RawAnswer serve(const test::ReceivedRequest& request) {
    const bool is_token = request.line().starts_with("POST /tenant/oauth2/v2.0/token ");
    auto& prepared = is_token ? token_answers : secret_answers;
    if (!prepared.empty()) {
      const test::RawAnswer reply = prepared.front();
      prepared.erase(prepared.begin());
      return reply;
    }
    const test::RawAnswer reply = is_token ? token() : secret(request);
    if (lose_next_answer_to.empty() || !request.line().starts_with(lose_next_answer_to)) return reply;
    lose_next_answer_to.clear();
    return {.bytes = "HTTP/1.1 ", .then_close = true};
  }

  test::RawAnswer token() {
    return test::answer(200, fmt::format(R"({{"token_type":"Bearer","expires_in":{},"access_token":"t{}"}})",
                                         token_life, ++tokens_given));
  }

  test::RawAnswer secret(const test::ReceivedRequest& request) {
    const std::size_t header = request.head.find("Authorization: Bearer t");
    const int number = header == std::string::npos ? 0 : std::atoi(request.head.c_str() + header + 23);
    if (number < first_valid_token) return test::answer(401, R"({"error":{"code":"Unauthorized"}})");
    const std::string line = request.line();
    const std::string call = line.substr(0, line.rfind('/', line.find('?')));
    const std::string name = line.substr(call.size() + 1, line.find('?') - call.size() - 1);
    if (call == "PUT /secrets") return store(name, request.body);
    if (call == "DELETE /secrets") return remove(name);
    if (call == "GET /deletedsecrets") return look(name);
    if (call == "DELETE /deletedsecrets") return purge(name);
    const auto found = secrets_.find(name);
    return found == secrets_.end() ? missing() : test::answer(200, found->second);
  }

  test::RawAnswer store(const std::string& name, const std::string& body) {
    if (deleted_.contains(name)) return conflict("ObjectIsDeletedButRecoverable");
    secrets_[name] = body.substr(0, body.size() - 1) + R"(,"id":"x","attributes":{"enabled":true}})";
    return test::answer(200, secrets_[name]);
  }

  test::RawAnswer remove(const std::string& name) {
    if (secrets_.erase(name) == 0) return missing();
    deleted_[name] = fmt::format(
        R"({{"recoveryId":"y","scheduledPurgeDate":1807776000,"id":"x","attributes":{{"recoveryLevel":"{}"}}}})",
        is_protected ? "CustomizedRecoverable" : "CustomizedRecoverable+Purgeable");
    return test::answer(200, deleted_[name]);
  }

  test::RawAnswer look(const std::string& name) {
    if (!may_look) return forbidden();
    const auto found = deleted_.find(name);
    if (found == deleted_.end() || busy_answers-- > 0) return missing();
    return test::answer(200, found->second);
  }

  test::RawAnswer purge(const std::string& name) {
    if (is_protected) return forbidden();
    if (deleted_.contains(name) && busy_answers-- > 0) return conflict("ObjectIsBeingDeleted");
    return deleted_.erase(name) == 0 ? missing() : test::answer(204, "");
  }

  static test::RawAnswer missing() {
    return test::answer(404, R"({"error":{"code":"SecretNotFound","message":"…"}})");
  }
  static test::RawAnswer forbidden() {
    return test::answer(403, R"({"error":{"code":"Forbidden","message":"…"}})");
  }
  static test::RawAnswer conflict(const char* reason) {
    return test::answer(
        409, fmt::format(R"({{"error":{{"code":"Conflict","innererror":{{"code":"{}"}}}}}})", reason));
  }

  Secrets secrets_;
  Secrets deleted_;
};

/// The vault that speaks to a FakeAzure, by a clock of its own.
struct AzureWorld {
  FakeAzure azure;
  test::FakeTime time{.at = kStart};

  AzureOptions options() const {
    AzureOptions made;
    made.vault_uri = azure.server.url();
    made.authority = azure.server.url();
    made.tenant_id = "tenant";
    made.client_id = "client";
    made.client_secret = SecretBytes::copy_of("s3cret&");
    return made;
  }
  std::unique_ptr<Vault> vault() { return make_azure_vault(options(), time.clock()).value(); }
};

/// An embedded vault in a directory of its own.
struct EmbeddedWorld {
  test::TemporaryDirectory directory;

  EmbeddedOptions options() const {
    EmbeddedOptions made;
    made.database = directory / "gateway.sqlite";
    made.master_key_file = directory / "master.key";
    return made;
  }
  std::unique_ptr<EmbeddedVault> vault() const { return EmbeddedVault::open(options()).value(); }
};

}  // namespace zkv::gateway
