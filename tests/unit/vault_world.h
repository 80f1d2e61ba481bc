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

/// Azure's two services on one loopback port: tokens "t1", "t2", … and secrets by name.
class FakeAzure {
 public:
  FakeAzure() : server([this](const test::ReceivedRequest& request) { return serve(request); }) {}

  void put(const std::string& name, const std::string& value,
           const std::string& attributes = R"("enabled":true)") {
    secrets_[name] = fmt::format(R"({{"value":"{}","id":"x","attributes":{{{}}}}})", value, attributes);
  }

  std::vector<test::RawAnswer> token_answers = {};   ///< given before the usual ones
  std::vector<test::RawAnswer> secret_answers = {};  ///< given before the usual ones
  int tokens_given = 0;
  int first_valid_token = 1;
  int token_life = 3600;
  test::HttpServer server;

 private:
  test::RawAnswer serve(const test::ReceivedRequest& request) {
    const bool is_token = request.line().starts_with("POST /tenant/oauth2/v2.0/token ");
    auto& prepared = is_token ? token_answers : secret_answers;
    if (!prepared.empty()) {
      const test::RawAnswer reply = prepared.front();
      prepared.erase(prepared.begin());
      return reply;
    }
    return is_token ? token() : secret(request);
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
    const std::size_t name = std::string_view("GET /secrets/").size();
    const auto found = secrets_.find(line.substr(name, line.find('?') - name));
    if (found == secrets_.end())
      return test::answer(404, R"({"error":{"code":"SecretNotFound","message":"…"}})");
    return test::answer(200, found->second);
  }

  std::map<std::string, std::string> secrets_;
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
