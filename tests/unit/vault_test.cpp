// What every vault does, and JSON in secret memory.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/vault/secret_json.h"
#include "vault_world.h"

namespace zkv::gateway {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

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

SecretBytes secret(std::string_view text) { return SecretBytes::copy_of(text); }

TEST_P(AnyVault, GivesBackWhatWasDeposited) {
  ASSERT_TRUE(vault_->deposit("new-key", secret(kShare), {}));
  EXPECT_EQ(text_of(vault_->recover("new-key", {})), kShare);
}

TEST_P(AnyVault, GivesBackAnyPrintableText) {
  std::string text;
  for (char letter = ' '; letter <= '~'; ++letter) text += letter;
  ASSERT_TRUE(vault_->deposit("new-key", secret(text), {}));
  EXPECT_EQ(text_of(vault_->recover("new-key", {})), text);
}

TEST_P(AnyVault, GivesBackTheLongestValue) {
  const std::string text(25'600, 'v');
  ASSERT_TRUE(vault_->deposit("new-key", secret(text), {}));
  EXPECT_EQ(text_of(vault_->recover("new-key", {})), text);
}

TEST_P(AnyVault, DepositingAgainReplaces) {
  ASSERT_TRUE(vault_->deposit("repository-key", secret("newer"), {}));
  EXPECT_EQ(text_of(vault_->recover("repository-key", {})), "newer");
}

TEST_P(AnyVault, WhatWasDestroyedIsGone) {
  ASSERT_TRUE(vault_->destroy("repository-key", {}));
  EXPECT_EQ(error_of(vault_->recover("repository-key", {})).kind(), ErrorKind::kNotFound);
}

TEST_P(AnyVault, DestroyingWhatIsGoneSucceeds) {
  ASSERT_TRUE(vault_->destroy("repository-key", {}));
  EXPECT_TRUE(vault_->destroy("repository-key", {}));
  EXPECT_TRUE(vault_->destroy("never-there", {}));
}

TEST_P(AnyVault, ADestroyedNameCanBeUsedAgain) {
  ASSERT_TRUE(vault_->destroy("repository-key", {}));
  ASSERT_TRUE(vault_->deposit("repository-key", secret("second life"), {}));
  EXPECT_EQ(text_of(vault_->recover("repository-key", {})), "second life");
}

TEST_P(AnyVault, DestroyingOneLeavesTheOthers) {
  ASSERT_TRUE(vault_->deposit("other-key", secret("other"), {}));
  ASSERT_TRUE(vault_->destroy("other-key", {}));
  EXPECT_EQ(text_of(vault_->recover("repository-key", {})), kShare);
}

TEST_P(AnyVault, StrangeNamesAreNeitherDepositedNorDestroyed) {
  for (const auto& name : {std::string(), std::string("../a"), std::string("a?x"), std::string(128, 'a')}) {
    EXPECT_EQ(error_of(vault_->deposit(name, secret("1"), {})).kind(), ErrorKind::kInvalid) << name;
    EXPECT_EQ(error_of(vault_->destroy(name, {})).kind(), ErrorKind::kInvalid) << name;
  }
}

TEST_P(AnyVault, ValuesThatWouldNotComeBackAsTheyAreAreNotDeposited) {
  for (const auto& value : {std::string(), std::string(25'601, 'v'), std::string("hidden\n"),
                            std::string("hidden\0", 7), std::string("hidden\xc3")}) {
    const Error error = error_of(vault_->deposit("new-key", secret(value), {}));
    EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
    EXPECT_THAT(error.message() + error.remedy(), Not(HasSubstr("hidden")));
  }
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
