// The embedded vault: its master key, what lies on the disk, and what tampering gains.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>
#include <sys/stat.h>

#include "vault_world.h"

namespace zkv::gateway {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

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

/// All bytes of the files in the world's folder.
std::string everything_in(const EmbeddedWorld& world) {
  std::string all;
  for (const auto& file : std::filesystem::directory_iterator(world.options().database.parent_path())) {
    const auto bytes = read_file(file.path(), 1U << 24U);
    if (bytes) all.append(bytes->begin(), bytes->end());
  }
  return all;
}

TEST(EmbeddedVault, NothingOfADestroyedRowIsLeftOnceTheDatabaseIsClosed) {
  const EmbeddedWorld world;
  ASSERT_TRUE(world.vault()->deposit("repository-key", SecretBytes::copy_of(kShare), {}));
  const std::string sealed = to_hex(world.vault()->list()->front().sealed);
  EXPECT_THAT(everything_in(world), HasSubstr(sealed));
  ASSERT_TRUE(world.vault()->destroy("repository-key", {}));
  EXPECT_THAT(everything_in(world), Not(HasSubstr(sealed.substr(0, 32))));
}

TEST(EmbeddedVault, AFailureOfTheDatabaseIsNotTakenForGone) {
  const EmbeddedWorld world;
  const auto vault = world.vault();
  ASSERT_TRUE(vault->deposit("repository-key", SecretBytes::copy_of(kShare), {}));
  tamper(world, "ALTER TABLE zkv_secret RENAME TO elsewhere");
  EXPECT_FALSE(vault->destroy("repository-key", {}));
  const Error error = error_of(vault->deposit("repository-key", SecretBytes::copy_of(kShare), {}));
  EXPECT_THAT(error.message() + error.remedy(), Not(HasSubstr(kShare)));
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

}  // namespace
}  // namespace zkv::gateway
