// Codes of authenticator apps: the vectors of RFC 6238, each once, the lock; and their rows.
#include <cctype>
#include <set>

#include "gateway/totp/attempt.h"
#include "gateway/totp/code.h"
#include "store_world.h"

namespace zkv::gateway {
namespace {

using totp::Outcome;
using totp::Tries;

/// The secret of RFC 6238, appendix B.
SecretBytes secret_of_the_rfc() { return SecretBytes::copy_of("12345678901234567890"); }
Time at_second(std::int64_t second) { return Time(std::chrono::seconds(second)); }

TEST(TotpCode, IsThatOfTheRfcAtEachOfItsTimes) {
  const auto secret = secret_of_the_rfc();
  const std::vector<std::pair<std::int64_t, std::string>> vectors{{59, "287082"},
                                                                  {1'111'111'109, "081804"},
                                                                  {1'111'111'111, "050471"},
                                                                  {1'234'567'890, "005924"},
                                                                  {2'000'000'000, "279037"},
                                                                  {20'000'000'000, "353130"}};
  for (const auto& [second, code] : vectors) {
    EXPECT_EQ(totp::code_of(secret, totp::step_at(at_second(second))), code) << second;
  }
}

TEST(TotpCode, IsTakenOneStepEarlyOrLateAndNoMore) {
  const auto secret = secret_of_the_rfc();
  const auto now = at_second(1'234'567'890);
  const auto step = totp::step_at(now);
  for (const int offset : {-1, 0, 1}) {
    EXPECT_EQ(totp::step_of(secret, totp::code_of(secret, step + offset), now, 0), step + offset) << offset;
  }
  EXPECT_FALSE(totp::step_of(secret, totp::code_of(secret, step - 2), now, 0));
  EXPECT_FALSE(totp::step_of(secret, totp::code_of(secret, step + 2), now, 0));
}

TEST(TotpCode, OfAStepThatWasUsedOrIsBeforeOneThatWasIsNone) {
  const auto secret = secret_of_the_rfc();
  const auto now = at_second(1'234'567'890);
  const auto step = totp::step_at(now);
  EXPECT_FALSE(totp::step_of(secret, totp::code_of(secret, step), now, step));
  EXPECT_FALSE(totp::step_of(secret, totp::code_of(secret, step - 1), now, step));
  EXPECT_TRUE(totp::step_of(secret, totp::code_of(secret, step + 1), now, step));
}

TEST(TotpCode, OfAnotherFormOrSecretIsNone) {
  const auto secret = secret_of_the_rfc();
  const auto now = at_second(59);
  for (const std::string code : {"", "28708", "2870820", "287083", "28708a", "94287082"}) {
    EXPECT_FALSE(totp::step_of(secret, code, now, 0)) << code;
  }
  EXPECT_TRUE(totp::step_of(secret, "287082", now, 0));
  EXPECT_FALSE(totp::step_of(SecretBytes::copy_of("12345678901234567891"), "287082", now, 0));
}

TEST(TotpCode, SecretsAre160BitsAndNeverTheSame) {
  std::set<std::string> seen;
  for (int i = 0; i < 50; ++i) {
    const auto secret = totp::make_secret();
    EXPECT_EQ(secret.size(), 20U);
    seen.insert(to_hex(secret.span()));
  }
  EXPECT_EQ(seen.size(), 50U);
}

TEST(TotpCode, TheUriSaysWhatAppsTakeAndHidesNoCharacterOfANameInItsSyntax) {
  const auto secret = secret_of_the_rfc();
  EXPECT_EQ(totp::to_base32(secret).view(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
  EXPECT_EQ(totp::key_uri(secret, "zkv at gw", "Ann&a=?#ä").view(),
            "otpauth://totp/zkv%20at%20gw:Ann%26a%3D%3F%23%C3%A4?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
            "&issuer=zkv%20at%20gw&algorithm=SHA1&digits=6&period=30");
}

TEST(TotpTries, ACodeIsTakenAndItsStepKept) {
  const auto judged = totp::judge({7, 3, {}}, 8, kStart);
  EXPECT_EQ(judged.outcome, Outcome::kTaken);
  EXPECT_EQ(judged.next.last_step, 8);
  EXPECT_EQ(judged.next.wrong, 0U);
}

TEST(TotpTries, AStepThatWasUsedCountsAsWrong) {
  EXPECT_EQ(totp::judge({8, 0, {}}, 8, kStart).outcome, Outcome::kWrong);
  EXPECT_EQ(totp::judge({8, 0, {}}, 7, kStart).outcome, Outcome::kWrong);
}

TEST(TotpTries, TheFifthWrongOneLocksForAQuarterOfAnHour) {
  Tries tries{7, 0, {}};
  for (int i = 0; i < 4; ++i) {
    const auto judged = totp::judge(tries, std::nullopt, kStart);
    EXPECT_EQ(judged.outcome, Outcome::kWrong);
    tries = judged.next;
  }
  const auto fifth = totp::judge(tries, std::nullopt, kStart);
  EXPECT_EQ(fifth.outcome, Outcome::kWrongAndLocked);
  EXPECT_EQ(fifth.next.locked_until, kStart + std::chrono::minutes(15));
  EXPECT_EQ(fifth.next.last_step, 7);
}

TEST(TotpTries, WhileLockedARightCodeIsRefusedAndNothingIsCounted) {
  const Tries locked{7, 0, kStart + std::chrono::minutes(15)};
  const auto just_before = kStart + std::chrono::minutes(15) - std::chrono::milliseconds(1);
  for (const auto step : {std::optional<std::int64_t>(8), std::optional<std::int64_t>()}) {
    const auto judged = totp::judge(locked, step, just_before);
    EXPECT_EQ(judged.outcome, Outcome::kLocked);
    EXPECT_EQ(judged.next.last_step, 7);
    EXPECT_EQ(judged.next.locked_until, locked.locked_until) << "guessing on does not lengthen it";
  }
  EXPECT_EQ(totp::judge(locked, 8, locked.locked_until).outcome, Outcome::kTaken);
}

TEST(TotpTries, AfterALockTheCountBeginsAnew) {
  const Tries locked{7, 0, kStart};
  const auto judged = totp::judge(locked, std::nullopt, kStart);
  EXPECT_EQ(judged.outcome, Outcome::kWrong);
  EXPECT_EQ(judged.next.wrong, 1U);
}

class TotpRows : public StoreTest {
 protected:
  StoreOptions sealed() const { return {.seal_key = key_}; }
  void begin_scene() {
    anna_.id = {1, 2, 3};
    anna_.name = "Anna";
    anna_.created_at = kStart;
    store_ = open(sealed());
    ASSERT_TRUE(store_->people().insert(anna_));
    Totp totp;
    totp.approver = anna_.id;
    totp.secret = secret_of_the_rfc();
    totp.made_at = kStart;
    ASSERT_TRUE(store_->totps().put(totp));
  }
  Totp found(Store& store) { return std::move(*store.totps().find(anna_).value()); }

  std::shared_ptr<const SecretBytes> key_ = std::make_shared<const SecretBytes>(SecretBytes(32));
  Approver anna_;
  std::unique_ptr<Store> store_;
};

TEST_F(TotpRows, AreReadAsTheyWereWritten) {
  begin_scene();
  auto totp = found(*store_);
  EXPECT_TRUE(equal_in_constant_time(totp.secret.span(), secret_of_the_rfc().span()));
  EXPECT_FALSE(totp.has_begun());
  totp.begun_at = kStart;
  totp.tries = {41, 3, kStart};
  ASSERT_TRUE(store_->totps().update(totp));
  const auto after = found(*store_);
  EXPECT_TRUE(after.has_begun());
  EXPECT_EQ(after.tries.last_step, 41);
  EXPECT_EQ(after.tries.wrong, 3U);
  EXPECT_EQ(after.tries.locked_until, kStart);
  ASSERT_TRUE(store_->totps().remove(anna_.id));
  EXPECT_FALSE(store_->totps().find(anna_).value());
}

TEST_F(TotpRows, OfTwoGatewaysThatReadTheSameRowOneMayWriteIt) {
  begin_scene();
  const auto replica = open(sealed());
  auto here = found(*store_);
  auto there = found(*replica);
  here.tries.last_step = 41;
  there.tries.last_step = 41;
  ASSERT_TRUE(store_->totps().update(here));
  const auto refused = replica->totps().update(there);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind(), ErrorKind::kConflict);
}

TEST_F(TotpRows, ThatAreOlderThanTheLogAreRefused) {
  begin_scene();
  ASSERT_TRUE(store_->append({kStart, "totp.decide", "A", "totp:Anna", "{}"}));
  const auto refused = store_->totps().find(anna_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind(), ErrorKind::kCorrupt);
}

TEST_F(TotpRows, AreNotReadWithoutTheKeyOrWithAnother) {
  begin_scene();
  EXPECT_FALSE(open()->totps().find(anna_));
  const auto other = std::make_shared<const SecretBytes>(SecretBytes::copy_of(std::string(32, 'x')));
  EXPECT_FALSE(open({.seal_key = other})->totps().find(anna_));
  const auto adopted = open({.seal_key = other, .adopts = true});
  EXPECT_FALSE(adopted->totps().find(anna_).value()) << "its secret is under a key that is gone";
}

}  // namespace
}  // namespace zkv::gateway
