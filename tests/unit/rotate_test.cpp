// A new repository key: every slot that stays opens as before, and nothing that opened by the old key does.
#include "repository/rotate.h"

#include <gmock/gmock.h>

#include "crypto/random.h"
#include "repository/version2.h"
#include "repository_world.h"

namespace zkv::repository {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

SecretBytes text(std::string_view words) { return SecretBytes::copy_of(words); }

class Rotate : public RepositoryFiles {
 protected:
  Rotate() {
    make(Format::kVersion2);
    EXPECT_TRUE(add("tank/a", "key a"));
    EXPECT_TRUE(add_slot(path_, key_, {SlotType::kPassphrase, "mine", text("correct horse"), kCheap}));
    EXPECT_TRUE(add_slot(path_, key_, {SlotType::kClassic, "", classic_.clone(), {}}));
    EXPECT_TRUE(add_gateway_slot(path_, key_, {"gateway", gateway_, shares_.clone()}));
  }

  [[nodiscard]] RepositoryKey by(const SecretBytes& secret) const { return {secret.clone(), std::nullopt}; }
  [[nodiscard]] RepositoryKey by_gateway() const { return {shares_.clone(), gateway_}; }

  [[nodiscard]] Rotation of_all() const {
    Rotation rotation;
    rotation.keys.push_back(by(key_));
    rotation.keys.push_back(by(text("correct horse")));
    rotation.keys.push_back(by(classic_));
    rotation.keys.push_back(by_gateway());
    return rotation;
  }

  [[nodiscard]] SecretBytes repository_key() const {
    return std::move(open_version2(bytes(path_), key_).value().repository_key);
  }

  SecretBytes classic_ = new_key();
  GatewayId gateway_{7, 7, 7};
  SecretBytes shares_ = join_shares(crypto::random_secret(kShareSize), crypto::random_secret(kShareSize));
};

TEST_F(Rotate, GivesANewKeyUnderWhichEverySlotOpensAsBefore) {
  const auto before = repository_key();
  const auto rotated = rotate(path_, of_all());
  ASSERT_TRUE(rotated) << rotated.error().message();
  EXPECT_THAT(rotated->kept, ElementsAre(1, 2, 3, 4));
  EXPECT_FALSE(equal_in_constant_time(before.span(), repository_key().span()));
  EXPECT_THAT(contents(), ElementsAre("tank/a=key a"));
  EXPECT_THAT(contents(path_, text("correct horse")), ElementsAre("tank/a=key a"));
  EXPECT_THAT(contents(path_, classic_), ElementsAre("tank/a=key a"));
  EXPECT_TRUE(open(path_, by_gateway()));
}

TEST_F(Rotate, LeavesNothingBehindThatTheOldKeyOpens) {
  ASSERT_TRUE(std::filesystem::exists(path_.string() + ".previous"));
  const auto before = open_version2(bytes(path_), key_).value();
  ASSERT_TRUE(rotate(path_, of_all()));
  EXPECT_FALSE(std::filesystem::exists(path_.string() + ".previous"));
  const auto after = read_outside(bytes(path_)).value();
  for (std::size_t i = 0; i < after.slots.size(); ++i) {
    EXPECT_NE(after.slots[i].wrapped, before.outside.slots[i].wrapped);
    EXPECT_EQ(after.slots[i].label, before.outside.slots[i].label);
    EXPECT_EQ(after.slots[i].created, before.outside.slots[i].created);
  }
  EXPECT_EQ(after.header.id, before.outside.header.id);
  EXPECT_EQ(after.header.generation, before.outside.header.generation + 1);
  EXPECT_NE(after.slots[1].parameters, before.outside.slots[1].parameters);  // a new salt
  EXPECT_EQ(passphrase_cost(after.slots[1])->memory_kib, kCheap.memory_kib);
}

TEST_F(Rotate, RefusesWhileASlotHasNoKeyAndChangesNothing) {
  const auto before = bytes(path_);
  for (std::size_t without = 1; without < 4; ++without) {
    auto rotation = of_all();
    rotation.keys.erase(rotation.keys.begin() + static_cast<std::ptrdiff_t>(without));
    const auto missing = slots_without_key(path_, rotation).value();
    ASSERT_EQ(missing.size(), 1U);
    EXPECT_EQ(missing.front().id, without + 1);
    const auto error = rotate(path_, rotation).error();
    EXPECT_THAT(error.message(), HasSubstr("slot " + std::to_string(without + 1)));
    EXPECT_THAT(error.remedy(), HasSubstr("--drop"));
  }
  EXPECT_EQ(bytes(path_), before);
}

TEST_F(Rotate, LetsSlotsGoOnlyByName) {
  Rotation rotation;
  rotation.keys.push_back(by(key_));
  rotation.dropped = {2, 3, 4, 99};
  const auto rotated = rotate(path_, rotation);
  ASSERT_TRUE(rotated);
  EXPECT_THAT(rotated->kept, ElementsAre(1));
  EXPECT_THAT(rotated->dropped, ElementsAre(2, 3, 4));
  EXPECT_THAT(contents(), ElementsAre("tank/a=key a"));
  EXPECT_FALSE(open(path_, classic_));
}

TEST_F(Rotate, NeverDropsTheSlotOfTheKeyThatWasGiven) {
  const auto before = bytes(path_);
  auto rotation = of_all();
  rotation.dropped = {1};
  EXPECT_THAT(rotate(path_, rotation).error().message(), HasSubstr("cannot be dropped"));
  EXPECT_EQ(bytes(path_), before);
}

TEST_F(Rotate, NeedsAKeyThatOpens) {
  Rotation rotation;
  rotation.keys.push_back(by(new_key()));
  EXPECT_EQ(rotate(path_, rotation).error().kind(), ErrorKind::kWrongKey);
  EXPECT_EQ(slots_without_key(path_, rotation).error().kind(), ErrorKind::kWrongKey);
}

TEST_F(Rotate, IsNothingForTheSeedsFormat) {
  ASSERT_TRUE(create(folder_ / "seed", Format::kSeed, key_, false));
  EXPECT_EQ(rotate(folder_ / "seed", of_all()).error().kind(), ErrorKind::kUnsupported);
}

TEST_F(Rotate, CanBeDoneAgain) {
  ASSERT_TRUE(rotate(path_, of_all()));
  ASSERT_TRUE(rotate(path_, of_all()));
  EXPECT_THAT(contents(), ElementsAre("tank/a=key a"));
}

}  // namespace
}  // namespace zkv::repository
