// Vaults: one suite over all of them, then what is each one's own.
#include "gateway/vault/vault.h"

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>
#include <sys/stat.h>

#include <map>

#include "fake_time.h"
#include "gateway/vault/registry.h"
#include "gateway/vault/secret_json.h"
#include "http_server.h"

namespace zkv::gateway {
namespace {

using std::chrono::seconds;
using test::answer;
using test::FakeTime;
using test::HttpServer;
using test::RawAnswer;
using test::ReceivedRequest;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr Time kStart{seconds(1'800'000'000)};
constexpr const char* kShare = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=";

Error error_of(const Result<SecretBytes>& result) {
  return result ? Error::internal("a secret was given") : result.error();
}

std::string text_of(const Result<SecretBytes>& result) {
  return result ? std::string(result->view()) : "error: " + result.error().message();
}

/// Azure's two services on one loopback port: tokens "t1", "t2", … and secrets by name.
class FakeAzure {
 public:
  FakeAzure() : server([this](const ReceivedRequest& request) { return serve(request); }) {}

  void put(const std::string& name, const std::string& value,
           const std::string& attributes = R"("enabled":true)") {
    secrets_[name] = fmt::format(R"({{"value":"{}","id":"x","attributes":{{{}}}}})", value, attributes);
  }

  std::vector<RawAnswer> token_answers = {};   ///< given before the usual ones
  std::vector<RawAnswer> secret_answers = {};  ///< given before the usual ones
  int tokens_given = 0;
  int first_valid_token = 1;
  int token_life = 3600;
  HttpServer server;

 private:
  RawAnswer serve(const ReceivedRequest& request) {
    const bool is_token = request.line().starts_with("POST /tenant/oauth2/v2.0/token ");
    auto& prepared = is_token ? token_answers : secret_answers;
    if (!prepared.empty()) {
      const RawAnswer reply = prepared.front();
      prepared.erase(prepared.begin());
      return reply;
    }
    return is_token ? token() : secret(request);
  }

  RawAnswer token() {
    return answer(200, fmt::format(R"({{"token_type":"Bearer","expires_in":{},"access_token":"t{}"}})",
                                   token_life, ++tokens_given));
  }

  RawAnswer secret(const ReceivedRequest& request) {
    const std::size_t header = request.head.find("Authorization: Bearer t");
    const int number = header == std::string::npos ? 0 : std::atoi(request.head.c_str() + header + 23);
    if (number < first_valid_token) return answer(401, R"({"error":{"code":"Unauthorized"}})");
    const std::string line = request.line();
    const std::size_t name = std::string_view("GET /secrets/").size();
    const auto found = secrets_.find(line.substr(name, line.find('?') - name));
    if (found == secrets_.end()) return answer(404, R"({"error":{"code":"SecretNotFound","message":"…"}})");
    return answer(200, found->second);
  }

  std::map<std::string, std::string> secrets_;
};

/// The vault that speaks to a FakeAzure, by a clock of its own.
struct AzureWorld {
  FakeAzure azure;
  FakeTime time{.at = kStart};

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

// Over all vaults.

/// One kind of vault with the secret "repository-key" in it.
class AnyVault : public ::testing::TestWithParam<const char*> {
 protected:
  AnyVault() {
    azure_.azure.put("repository-key", kShare);
    auto embedded = embedded_.vault();
    EXPECT_TRUE(embedded->put("repository-key", bytes_of(kShare)));
    if (std::string_view(GetParam()) == "azure") vault_ = azure_.vault();
    if (std::string_view(GetParam()) == "embedded") vault_ = std::move(embedded);
  }

  AzureWorld azure_;
  EmbeddedWorld embedded_;
  std::unique_ptr<Vault> vault_;
};

TEST_P(AnyVault, GivesBackWhatWasStored) {
  EXPECT_EQ(text_of(vault_->recover("repository-key", {})), kShare);
}

TEST_P(AnyVault, GivesItAgain) {
  ASSERT_TRUE(vault_->recover("repository-key", {}));
  EXPECT_EQ(text_of(vault_->recover("repository-key", {})), kShare);
}

TEST_P(AnyVault, ASecretThatIsNotThereIsNamedWithARemedy) {
  const Error error = error_of(vault_->recover("other-key", {}));
  EXPECT_EQ(error.kind(), ErrorKind::kNotFound);
  EXPECT_THAT(error.message(), HasSubstr("'other-key'"));
  EXPECT_FALSE(error.remedy().empty());
}

TEST_P(AnyVault, ANameCannotLeadAwayFromTheSecrets) {
  EXPECT_EQ(error_of(vault_->recover("../repository-key", {})).kind(), ErrorKind::kNotFound);
  EXPECT_EQ(error_of(vault_->recover("repository-key?x", {})).kind(), ErrorKind::kNotFound);
}

TEST_P(AnyVault, SaysWhatItIs) { EXPECT_FALSE(vault_->description().empty()); }

INSTANTIATE_TEST_SUITE_P(Vaults, AnyVault, ::testing::Values("azure", "embedded"),
                         [](const auto& kind) { return std::string(kind.param); });

// Azure.

TEST(AzureVault, AsksForATokenAndThenForTheSecretAsDocumented) {
  AzureWorld world;
  world.azure.put("zkv-nas", kShare);
  ASSERT_TRUE(world.vault()->recover("zkv-nas", {}));
  const auto requests = world.azure.server.requests();
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_EQ(requests[0].line(), "POST /tenant/oauth2/v2.0/token HTTP/1.1");
  EXPECT_EQ(requests[0].body,
            "grant_type=client_credentials&client_id=client&client_secret=s3cret%26&scope=https%3A%2F%"
            "2Fvault.azure."
            "net%2F.default");
  EXPECT_EQ(requests[1].line(), "GET /secrets/zkv-nas?api-version=7.4 HTTP/1.1");
}

TEST(AzureVault, UsesATokenUntilShortlyBeforeItsEnd) {
  AzureWorld world;
  world.azure.put("zkv-nas", kShare);
  const auto vault = world.vault();
  ASSERT_TRUE(vault->recover("zkv-nas", {}));
  world.time.at = kStart + seconds(3299);
  ASSERT_TRUE(vault->recover("zkv-nas", {}));
  EXPECT_EQ(world.azure.tokens_given, 1);
  world.time.at = kStart + seconds(3300);
  ASSERT_TRUE(vault->recover("zkv-nas", {}));
  EXPECT_EQ(world.azure.tokens_given, 2);
}

TEST(AzureVault, AShortTokenIsUsedForNineTenthsOfItsLife) {
  AzureWorld world;
  world.azure.put("zkv-nas", kShare);
  world.azure.token_life = 100;
  const auto vault = world.vault();
  ASSERT_TRUE(vault->recover("zkv-nas", {}));
  world.time.at = kStart + seconds(89);
  ASSERT_TRUE(vault->recover("zkv-nas", {}));
  EXPECT_EQ(world.azure.tokens_given, 1);
  world.time.at = kStart + seconds(90);
  ASSERT_TRUE(vault->recover("zkv-nas", {}));
  EXPECT_EQ(world.azure.tokens_given, 2);
}

TEST(AzureVault, ATokenThatIsNoLongerTakenIsRenewedOnce) {
  AzureWorld world;
  world.azure.put("zkv-nas", kShare);
  const auto vault = world.vault();
  ASSERT_TRUE(vault->recover("zkv-nas", {}));
  world.azure.first_valid_token = 2;
  EXPECT_EQ(text_of(vault->recover("zkv-nas", {})), kShare);
  world.azure.first_valid_token = 100;
  const Error error = error_of(vault->recover("zkv-nas", {}));
  EXPECT_EQ(error.kind(), ErrorKind::kDenied);
  EXPECT_EQ(world.azure.tokens_given, 3);
}

TEST(AzureVault, ADisabledSecretIsNotGiven) {
  AzureWorld world;
  world.azure.secret_answers = {
      answer(403, R"({"error":{"code":"Forbidden","innererror":{"code":"SecretDisabled"}}})")};
  const Error error = error_of(world.vault()->recover("zkv-nas", {}));
  EXPECT_EQ(error.kind(), ErrorKind::kDenied);
  EXPECT_THAT(error.message(), HasSubstr("is disabled"));
}

TEST(AzureVault, ASecretThatSaysItIsDisabledIsNotGivenEitherIfAzureSendsIt) {
  AzureWorld world;
  world.azure.put("zkv-nas", kShare, R"("enabled":false)");
  EXPECT_THAT(error_of(world.vault()->recover("zkv-nas", {})).message(), HasSubstr("is disabled"));
}

TEST(AzureVault, ASecretBeforeItsTimeIsNotGiven) {
  AzureWorld world;
  world.azure.put("zkv-nas", kShare, R"("enabled":true,"nbf":1800000010)");
  const auto vault = world.vault();
  const Error error = error_of(vault->recover("zkv-nas", {}));
  EXPECT_EQ(error.kind(), ErrorKind::kDenied);
  EXPECT_THAT(error.message(), HasSubstr("not valid before 2027-01-15T08:00:10.000Z"));
  world.time.at = kStart + seconds(10);
  EXPECT_EQ(text_of(vault->recover("zkv-nas", {})), kShare);
}

TEST(AzureVault, AnExpiredSecretIsNotGiven) {
  AzureWorld world;
  world.azure.put("zkv-nas", kShare, R"("enabled":true,"exp":1800000000)");
  const Error error = error_of(world.vault()->recover("zkv-nas", {}));
  EXPECT_EQ(error.kind(), ErrorKind::kDenied);
  EXPECT_THAT(error.message(), HasSubstr("expired at"));
}

TEST(AzureVault, AMissingPermissionIsToldWithTheRoleThatHelps) {
  AzureWorld world;
  world.azure.secret_answers = {answer(403, R"({"error":{"code":"Forbidden","message":"…"}})")};
  const Error error = error_of(world.vault()->recover("zkv-nas", {}));
  EXPECT_EQ(error.kind(), ErrorKind::kDenied);
  EXPECT_THAT(error.remedy(), HasSubstr("Key Vault Secrets User"));
}

TEST(AzureVault, AnExpiredClientSecretIsToldAsThat) {
  AzureWorld world;
  world.azure.token_answers = {answer(
      401,
      R"({"error":"invalid_client","error_description":"AADSTS7000222: The provided client secret keys"})")};
  const Error error = error_of(world.vault()->recover("zkv-nas", {}));
  EXPECT_EQ(error.kind(), ErrorKind::kDenied);
  EXPECT_THAT(error.remedy(), HasSubstr("has expired"));
  EXPECT_THAT(error.message(), Not(HasSubstr("s3cret")));
}

TEST(AzureVault, WaitsWhenItIsAskedTooOften) {
  AzureWorld world;
  world.azure.put("zkv-nas", kShare);
  world.azure.secret_answers = {answer(429, "", "Retry-After: 5\r\n"), answer(500, ""), answer(503, "")};
  EXPECT_EQ(text_of(world.vault()->recover("zkv-nas", {})), kShare);
  EXPECT_THAT(world.time.waits, ::testing::ElementsAre(seconds(5), seconds(2), seconds(4)));
}

TEST(AzureVault, GivesUpWithinItsTimeLimit) {
  AzureWorld world;
  world.azure.secret_answers = std::vector<RawAnswer>(6, answer(503, "", "Retry-After: 40\r\n"));
  const Error error = error_of(world.vault()->recover("zkv-nas", {}));
  EXPECT_EQ(error.kind(), ErrorKind::kUnavailable);
  EXPECT_LE(world.time.at, kStart + seconds(90));
}

TEST(AzureVault, AnAnswerCutOffInItsMiddleIsAskedForAgain) {
  AzureWorld world;
  world.azure.put("zkv-nas", kShare);
  world.azure.secret_answers = {
      {.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"value\":\"cw_0x6", .then_close = true}};
  EXPECT_EQ(text_of(world.vault()->recover("zkv-nas", {})), kShare);
}

TEST(AzureVault, AnAnswerThatIsNotJsonGivesNothing) {
  AzureWorld world;
  world.azure.secret_answers = {answer(200, R"({"value":"half)"), answer(200, "[]"),
                                answer(200, R"({"value":7})")};
  const auto vault = world.vault();
  EXPECT_EQ(error_of(vault->recover("zkv-nas", {})).kind(), ErrorKind::kUnavailable);
  EXPECT_EQ(error_of(vault->recover("zkv-nas", {})).kind(), ErrorKind::kUnavailable);
  EXPECT_EQ(error_of(vault->recover("zkv-nas", {})).kind(), ErrorKind::kUnavailable);
}

TEST(AzureVault, ATokenAnswerWithoutATokenGivesNothing) {
  AzureWorld world;
  world.azure.token_answers = {answer(200, R"({"expires_in":3600})")};
  EXPECT_EQ(error_of(world.vault()->recover("zkv-nas", {})).kind(), ErrorKind::kUnavailable);
}

TEST(AzureVault, ARedirectDoesNotCarryTheTokenAway) {
  AzureWorld world;
  const HttpServer thief([](const ReceivedRequest&) { return answer(200, R"({"value":"forged"})"); });
  world.azure.secret_answers = {answer(302, "", "Location: " + thief.url() + "\r\n")};
  EXPECT_FALSE(world.vault()->recover("zkv-nas", {}));
  EXPECT_TRUE(thief.requests().empty());
}

TEST(AzureVault, StopEndsIt) {
  AzureWorld world;
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(error_of(world.vault()->recover("zkv-nas", stop.get_token())).kind(), ErrorKind::kInterrupted);
}

class StrangeVault : public ::testing::TestWithParam<const char*> {};

TEST_P(StrangeVault, GetsNoToken) {
  const AzureWorld world;
  AzureOptions options = world.options();
  options.vault_uri = GetParam();
  const auto vault = make_azure_vault(std::move(options));
  ASSERT_FALSE(vault);
  EXPECT_EQ(vault.error().kind(), ErrorKind::kInvalid);
  EXPECT_THAT(vault.error().message(), HasSubstr("KEY_VAULT_URI"));
}

INSTANTIATE_TEST_SUITE_P(
    Addresses, StrangeVault,
    ::testing::Values("https://kv.vault.azure.net.evil.example", "https://evilvault.azure.net",
                      "https://kv.vault.azure.net@evil.example", "http://kv.vault.azure.net",
                      "https://evil.example/kv.vault.azure.net", "kv.vault.azure.net", ""));

TEST(AzureVault, TakesTheVaultsOfItsResource) {
  const AzureWorld world;
  AzureOptions options = world.options();
  options.vault_uri = "https://KV.vault.azure.net/";
  EXPECT_TRUE(make_azure_vault(std::move(options)));
}

TEST(AzureVault, AMissingSettingIsNamed) {
  const AzureWorld world;
  AzureOptions options = world.options();
  options.client_secret = {};
  EXPECT_THAT(make_azure_vault(std::move(options)).error().message(), HasSubstr("AAD_CLIENT_SECRET"));
}

// JSON in secret memory.

SecretJson parsed(std::string_view text) { return SecretJson::parse(bytes_of(text)).value(); }

TEST(SecretJson, GivesValuesByPointerAndType) {
  const SecretJson json = parsed(R"({"a":{"text":"x\n\u00e9","number":-5,"yes":true}})");
  EXPECT_EQ(json.text("/a/text"), "x\né");
  EXPECT_EQ(json.number("/a/number"), -5);
  EXPECT_EQ(json.boolean("/a/yes"), true);
  EXPECT_EQ(json.text("/a/number"), std::nullopt);
  EXPECT_EQ(json.text("/b/text"), std::nullopt);
}

TEST(SecretJson, TakesALongValue) {
  const std::string value(25'000, 'v');
  EXPECT_EQ(parsed(R"({"value":")" + value + R"("})").text("/value"), value);
}

TEST(SecretJson, RefusesWhatIsNotJson) {
  EXPECT_FALSE(SecretJson::parse(bytes_of("")));
  EXPECT_FALSE(SecretJson::parse(bytes_of(R"({"a":)")));
  EXPECT_FALSE(SecretJson::parse(bytes_of(R"({} {})")));
  EXPECT_FALSE(SecretJson::parse(bytes_of(std::string(100'000, '['))));
}

// Embedded.

mode_t mode_of(const std::filesystem::path& path) {
  struct stat info {};
  EXPECT_EQ(::stat(path.c_str(), &info), 0);
  return info.st_mode & 07777U;
}

/// Runs SQL behind the vault's back.
void tamper(const EmbeddedWorld& world, const std::string& statement) {
  soci::session sql(soci::sqlite3, world.options().database.string());
  sql << statement;
}

TEST(EmbeddedVault, MakesAMasterKeyThatOnlyItsUserReads) {
  const EmbeddedWorld world;
  ASSERT_TRUE(world.vault());
  EXPECT_EQ(mode_of(world.options().master_key_file), 0600U);
  EXPECT_EQ(std::filesystem::file_size(world.options().master_key_file), 32U);
}

TEST(EmbeddedVault, OpensItsSecretsAfterARestart) {
  const EmbeddedWorld world;
  ASSERT_TRUE(world.vault()->put("repository-key", bytes_of(kShare)));
  EXPECT_EQ(text_of(world.vault()->recover("repository-key", {})), kShare);
}

TEST(EmbeddedVault, NothingOfASecretStandsInTheFiles) {
  const EmbeddedWorld world;
  ASSERT_TRUE(world.vault()->put("repository-key", bytes_of(kShare)));
  const auto database = read_file(world.options().database, 1U << 24U);
  ASSERT_TRUE(database);
  EXPECT_THAT(std::string(database->begin(), database->end()),
              Not(HasSubstr(std::string(kShare).substr(0, 12))));
}

class ReadableMasterKey : public ::testing::TestWithParam<std::filesystem::perms> {};

TEST_P(ReadableMasterKey, IsRefused) {
  const EmbeddedWorld world;
  ASSERT_TRUE(world.vault());
  std::filesystem::permissions(world.options().master_key_file, GetParam(),
                               std::filesystem::perm_options::add);
  const auto vault = EmbeddedVault::open(world.options());
  ASSERT_FALSE(vault);
  EXPECT_EQ(vault.error().kind(), ErrorKind::kDenied);
  EXPECT_THAT(vault.error().remedy(), HasSubstr("chmod 600"));
}

INSTANTIATE_TEST_SUITE_P(Permissions, ReadableMasterKey,
                         ::testing::Values(std::filesystem::perms::group_read,
                                           std::filesystem::perms::group_write,
                                           std::filesystem::perms::others_read,
                                           std::filesystem::perms::others_exec));

TEST(EmbeddedVault, AMasterKeyOfTheWrongLengthIsRefused) {
  const EmbeddedWorld world;
  ASSERT_TRUE(create_file(world.options().master_key_file, Bytes(31)));
  EXPECT_EQ(EmbeddedVault::open(world.options()).error().kind(), ErrorKind::kInvalid);
}

TEST(EmbeddedVault, ALostMasterKeyIsNotReplacedWhileSecretsAreSealedUnderIt) {
  const EmbeddedWorld world;
  ASSERT_TRUE(world.vault()->put("repository-key", bytes_of(kShare)));
  std::filesystem::remove(world.options().master_key_file);
  const auto vault = EmbeddedVault::open(world.options());
  ASSERT_FALSE(vault);
  EXPECT_THAT(vault.error().message(), HasSubstr("is gone"));
  EXPECT_FALSE(std::filesystem::exists(world.options().master_key_file));
}

TEST(EmbeddedVault, AnotherMasterKeyOpensNothing) {
  const EmbeddedWorld world;
  ASSERT_TRUE(world.vault()->put("repository-key", bytes_of(kShare)));
  EmbeddedOptions options = world.options();
  options.master_key = SecretBytes(32);
  const Error error =
      error_of(EmbeddedVault::open(std::move(options)).value()->recover("repository-key", {}));
  EXPECT_EQ(error.kind(), ErrorKind::kWrongKey);
}

TEST(EmbeddedVault, AGivenMasterKeyWinsAndMakesNoFile) {
  const EmbeddedWorld world;
  EmbeddedOptions options = world.options();
  options.master_key = SecretBytes(32);
  ASSERT_TRUE(EmbeddedVault::open(std::move(options)).value()->put("repository-key", bytes_of(kShare)));
  EXPECT_FALSE(std::filesystem::exists(world.options().master_key_file));
}

TEST(EmbeddedVault, ARowPutUnderAnotherNameDoesNotOpen) {
  const EmbeddedWorld world;
  ASSERT_TRUE(world.vault()->put("repository-key", bytes_of(kShare)));
  tamper(world, "UPDATE zkv_secret SET name = 'other-key'");
  EXPECT_EQ(error_of(world.vault()->recover("other-key", {})).kind(), ErrorKind::kWrongKey);
}

TEST(EmbeddedVault, AChangedRowDoesNotOpen) {
  const EmbeddedWorld world;
  ASSERT_TRUE(world.vault()->put("repository-key", bytes_of(kShare)));
  tamper(world, "UPDATE zkv_secret SET sealed = printf('%0*d', length(sealed), 0)");
  EXPECT_EQ(error_of(world.vault()->recover("repository-key", {})).kind(), ErrorKind::kWrongKey);
  tamper(world, "UPDATE zkv_secret SET sealed = '0123456789'");
  EXPECT_EQ(error_of(world.vault()->recover("repository-key", {})).kind(), ErrorKind::kWrongKey);
}

TEST(EmbeddedVault, StoringAgainReplaces) {
  const EmbeddedWorld world;
  const auto vault = world.vault();
  ASSERT_TRUE(vault->put("repository-key", bytes_of("old")));
  ASSERT_TRUE(vault->put("repository-key", bytes_of("new")));
  EXPECT_EQ(text_of(vault->recover("repository-key", {})), "new");
  EXPECT_EQ(vault->list()->size(), 1U);
}

TEST(EmbeddedVault, ListsNamesInOrder) {
  const EmbeddedWorld world;
  const auto vault = world.vault();
  ASSERT_TRUE(vault->put("b", bytes_of("1")));
  ASSERT_TRUE(vault->put("a", bytes_of("2")));
  const auto rows = vault->list();
  ASSERT_EQ(rows->size(), 2U);
  EXPECT_EQ((*rows)[0].name, "a");
  EXPECT_EQ((*rows)[1].name, "b");
}

TEST(EmbeddedVault, WhatWasRemovedIsGone) {
  const EmbeddedWorld world;
  const auto vault = world.vault();
  ASSERT_TRUE(vault->put("a", bytes_of("1")));
  ASSERT_TRUE(vault->remove("a"));
  EXPECT_EQ(error_of(vault->recover("a", {})).kind(), ErrorKind::kNotFound);
  EXPECT_EQ(vault->remove("a").error().kind(), ErrorKind::kNotFound);
}

TEST(EmbeddedVault, RefusesEmptySecretsAndStrangeNames) {
  const EmbeddedWorld world;
  const auto vault = world.vault();
  EXPECT_EQ(vault->put("a", {}).error().kind(), ErrorKind::kInvalid);
  EXPECT_EQ(vault->put("", bytes_of("1")).error().kind(), ErrorKind::kInvalid);
  EXPECT_EQ(vault->put("a/b", bytes_of("1")).error().kind(), ErrorKind::kInvalid);
  EXPECT_EQ(vault->put(std::string(128, 'a'), bytes_of("1")).error().kind(), ErrorKind::kInvalid);
  EXPECT_TRUE(vault->list()->empty());
}

TEST(Registry, MakesEachKind) {
  const AzureWorld azure;
  const EmbeddedWorld embedded;
  EXPECT_THAT(make_vault(azure.options()).value()->description(), HasSubstr(azure.azure.server.url()));
  EXPECT_THAT(make_vault(embedded.options()).value()->description(), HasSubstr("embedded"));
}

}  // namespace
}  // namespace zkv::gateway
