// What every vault does, and JSON in secret memory.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/vault/secret_json.h"
#include "vault_world.h"

namespace zkv::gateway {
namespace {

using ::testing::HasSubstr;

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

TEST(Registry, MakesEachKind) {
  const AzureWorld azure;
  const EmbeddedWorld embedded;
  EXPECT_THAT(make_vault(azure.options()).value()->description(), HasSubstr(azure.azure.server.url()));
  EXPECT_THAT(make_vault(embedded.options()).value()->description(), HasSubstr("embedded"));
}

}  // namespace
}  // namespace zkv::gateway
