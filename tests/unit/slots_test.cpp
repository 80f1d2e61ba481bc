// The slots of a repository: what opens one, and which stay.
#include <gmock/gmock.h>

#include "crypto/random.h"
#include "repository_world.h"

namespace zkv::repository {
namespace {

using testing::ElementsAre;

class Slots : public RepositoryFiles {
 protected:
  Slots() { make(Format::kVersion2); }
  [[nodiscard]] Result<std::uint32_t> add_key(SlotType type, const SecretBytes& secret) const {
    return add_slot(path_, key_, {.type = type, .label = "mine", .secret = secret.clone(), .cost = kCheap});
  }
  [[nodiscard]] std::size_t count() const { return describe(path_)->outside->slots.size(); }
};

TEST_F(Slots, OfEachTypeOpenTheSameVolumes) {
  ASSERT_TRUE(add("a", "one"));
  const auto recovery = new_key();
  const auto classic = new_key();
  const auto passphrase = SecretBytes::copy_of("correct horse");
  EXPECT_EQ(add_key(SlotType::kRecovery, recovery).value(), 2U);
  EXPECT_EQ(add_key(SlotType::kClassic, classic).value(), 3U);
  EXPECT_EQ(add_key(SlotType::kPassphrase, passphrase).value(), 4U);
  EXPECT_THAT(contents(path_, recovery), ElementsAre("a=one"));
  EXPECT_THAT(contents(path_, classic), ElementsAre("a=one"));
  EXPECT_THAT(contents(path_, passphrase), ElementsAre("a=one"));
  EXPECT_THAT(contents(), ElementsAre("a=one"));
}

TEST_F(Slots, OfAGatewayOpenWithBothSharesInOrderAndWithNothingLess) {
  ASSERT_TRUE(add("a", "one"));
  const auto vault = crypto::random_secret(kShareSize);
  const auto local = crypto::random_secret(kShareSize);
  ASSERT_TRUE(
      add_gateway_slot(path_, key_, {.label = "home", .gateway = {7}, .shares = join_shares(vault, local)}));
  EXPECT_THAT(contents(path_, join_shares(vault, local)), ElementsAre("a=one"));
  const auto refusal = [this](const SecretBytes& secret) { return open(path_, secret).error().kind(); };
  EXPECT_EQ(refusal(join_shares(local, vault)), ErrorKind::kWrongKey);
  EXPECT_EQ(refusal(join_shares(vault, SecretBytes(kShareSize))), ErrorKind::kWrongKey);
  EXPECT_EQ(refusal(vault), ErrorKind::kWrongKey);
  EXPECT_EQ(refusal(local), ErrorKind::kWrongKey);
}

TEST_F(Slots, OfOneGatewayDoNotOpenAsThoseOfAnother) {
  const auto shares = crypto::random_secret(2 * kShareSize);
  ASSERT_TRUE(add_gateway_slot(path_, key_, {.label = {}, .gateway = {7}, .shares = shares.clone()}));
  Slot slot = describe(path_)->outside->slots.back();
  const auto id = describe(path_)->outside->header.id;
  ASSERT_TRUE(unwrap_key(slot, id, shares));
  EXPECT_EQ(gateway_of(slot), GatewayId{7});
  slot.parameters = gateway_parameters({8});
  EXPECT_EQ(unwrap_key(slot, id, shares).error().kind(), ErrorKind::kWrongKey);
  slot.parameters.clear();
  EXPECT_EQ(unwrap_key(slot, id, shares).error().kind(), ErrorKind::kWrongKey);
}

TEST_F(Slots, OfAGatewayAreNoReasonToDropTheLastKeyOnPaper) {
  ASSERT_TRUE(
      add_gateway_slot(path_, key_, {.label = {}, .gateway = {7}, .shares = crypto::random_secret(64)}));
  EXPECT_EQ(remove_slot(path_, key_, 1, false).error().kind(), ErrorKind::kInvalid);
}

TEST_F(Slots, APassphraseOfTheShapeOfAKeyWorksToo) {
  const auto passphrase = new_key();
  ASSERT_TRUE(add_key(SlotType::kPassphrase, passphrase));
  EXPECT_TRUE(open(path_, passphrase));
}

TEST_F(Slots, ThatAreRemovedNoLongerOpen) {
  const auto second = new_key();
  const auto id = add_key(SlotType::kClassic, second);
  ASSERT_TRUE(remove_slot(path_, key_, id.value(), false));
  EXPECT_EQ(open(path_, second).error().kind(), ErrorKind::kWrongKey);
  EXPECT_TRUE(open(path_, key_));
  EXPECT_EQ(remove_slot(path_, key_, id.value(), false).error().kind(), ErrorKind::kNotFound);
}

TEST_F(Slots, NoNumberIsGivenTwiceThoughAnOlderRepositoryIsPutBack) {
  const Bytes before = bytes(path_);
  EXPECT_EQ(add_key(SlotType::kRecovery, new_key()).value(), 2U);
  ASSERT_TRUE(replace_file(path_, before));
  ASSERT_TRUE(add("a", "one"));
  EXPECT_EQ(add_key(SlotType::kRecovery, new_key()).value(), 3U);
  ASSERT_TRUE(remove_slot(path_, key_, 3, false));
  EXPECT_EQ(add_key(SlotType::kRecovery, new_key()).value(), 4U);
}

TEST_F(Slots, TheLastThatAKeyOpensStaysUnlessForced) {
  EXPECT_EQ(remove_slot(path_, key_, 1, false).error().kind(), ErrorKind::kInvalid);
  EXPECT_EQ(count(), 1U);
  ASSERT_TRUE(remove_slot(path_, key_, 1, true));
  EXPECT_EQ(open(path_, key_).error().kind(), ErrorKind::kWrongKey);
}

TEST_F(Slots, AreRefusedWithoutAKeyThatOpens) {
  const auto stranger = new_key();
  EXPECT_EQ(
      add_slot(path_, stranger, {.type = SlotType::kClassic, .label = {}, .secret = new_key(), .cost = {}})
          .error()
          .kind(),
      ErrorKind::kWrongKey);
  EXPECT_EQ(remove_slot(path_, stranger, 1, true).error().kind(), ErrorKind::kWrongKey);
  EXPECT_EQ(count(), 1U);
}

TEST_F(Slots, WantASecretOfTheirForm) {
  EXPECT_EQ(add_key(SlotType::kClassic, SecretBytes::copy_of("short")).error().kind(), ErrorKind::kInvalid);
  EXPECT_EQ(add_key(SlotType::kPassphrase, SecretBytes()).error().kind(), ErrorKind::kInvalid);
  EXPECT_EQ(add_key(SlotType::kGateway, new_key()).error().kind(), ErrorKind::kUnsupported);
  EXPECT_EQ(count(), 1U);
}

TEST_F(Slots, HaveBoundsToTheirCostLabelAndNumber) {
  const auto add_with = [this](const std::string& label, crypto::Argon2Cost cost) {
    return add_slot(path_, key_,
                    {.type = SlotType::kPassphrase, .label = label, .secret = new_key(), .cost = cost});
  };
  EXPECT_EQ(add_with("", {.passes = 65, .memory_kib = 64}).error().kind(), ErrorKind::kInvalid);
  EXPECT_EQ(add_with("", {.passes = 1, .memory_kib = 2'000'000}).error().kind(), ErrorKind::kInvalid);
  EXPECT_EQ(add_with("", {.passes = 64, .memory_kib = 1'000'000}).error().kind(), ErrorKind::kInvalid);
  EXPECT_EQ(add_with(std::string(256, 'x'), kCheap).error().kind(), ErrorKind::kInvalid);
  while (count() < kMostSlots) ASSERT_TRUE(add_key(SlotType::kClassic, new_key()));
  EXPECT_EQ(add_key(SlotType::kClassic, new_key()).error().kind(), ErrorKind::kInvalid);
}

TEST_F(RepositoryFiles, OfTheSeedHaveNoSlots) {
  make(Format::kSeed);
  EXPECT_EQ(remove_slot(path_, key_, 1, true).error().kind(), ErrorKind::kUnsupported);
}

}  // namespace
}  // namespace zkv::repository
