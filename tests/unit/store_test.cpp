// The store on real files: what is put in comes out, and what was damaged is said to be.
#include "gateway/store/secret_table.h"
#include "store_world.h"

namespace zkv::gateway {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;

TEST_F(StoreTest, ARequestComesBackAsItWasPut) {
  auto request = request_named("0123456789");
  request.state = State::kApproved;
  request.pin_mac = Bytes{0, 255, 16};
  request.wrong_pins = 2;
  request.token_hash = Bytes(32, 0xab);
  request.decided_by = "sms:+15550100";
  request.reason = "it's \"fine\"; DROP TABLE zkv_request -- é";
  ASSERT_TRUE(open()->insert(request));

  const auto found = open()->find({"0123456789"});
  ASSERT_TRUE(found) << found.error().message();
  EXPECT_EQ(found->state, State::kApproved);
  EXPECT_EQ(found->address, request.address);
  EXPECT_EQ(found->created_at, request.created_at);
  EXPECT_EQ(found->expires_at, request.expires_at);
  EXPECT_EQ(found->pin_mac, request.pin_mac);
  EXPECT_EQ(found->wrong_pins, 2U);
  EXPECT_EQ(found->token_hash, request.token_hash);
  EXPECT_EQ(found->decided_by, request.decided_by);
  EXPECT_EQ(found->reason, request.reason);
}

TEST_F(StoreTest, ARequestWithoutTokenOrPinComesBackWithout) {
  auto store = open();
  ASSERT_TRUE(store->insert(request_named("A")));
  EXPECT_EQ(store->find({"A"})->token_hash, std::nullopt);
  EXPECT_TRUE(store->find({"A"})->pin_mac.empty());
}

TEST_F(StoreTest, AnUnknownRequestIsNotFound) {
  const auto found = open()->find({"NOPE"});
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().kind(), ErrorKind::kNotFound);
  EXPECT_THAT(found.error().message(), HasSubstr("NOPE"));
}

TEST_F(StoreTest, TheSameIdTwiceIsRefused) {
  auto store = open();
  ASSERT_TRUE(store->insert(request_named("A")));
  const auto second = store->insert(request_named("A"));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind(), ErrorKind::kInternal);
}

TEST_F(StoreTest, AnUpdateNeedsTheStateThatTheCallerSaw) {
  auto store = open();
  ASSERT_TRUE(store->insert(request_named("A")));
  auto approved = request_named("A");
  approved.state = State::kApproved;
  ASSERT_TRUE(store->update(approved, State::kPending));

  auto denied = request_named("A");
  denied.state = State::kDenied;
  const auto late = store->update(denied, State::kPending);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().kind(), ErrorKind::kConflict);
  EXPECT_EQ(store->find({"A"})->state, State::kApproved);
}

TEST_F(StoreTest, OpenRequestsAreThoseThatHaveNotEndedOldestFirst) {
  auto store = open();
  ASSERT_TRUE(store->insert(request_named("SECOND", kStart + seconds(2))));
  ASSERT_TRUE(store->insert(request_named("FIRST", kStart + seconds(1))));
  auto ended = request_named("ENDED", kStart);
  ended.state = State::kExpired;
  ASSERT_TRUE(store->insert(ended));
  EXPECT_THAT(ids_of(store->open_requests()), ElementsAre("FIRST", "SECOND"));
  EXPECT_THAT(ids_of(store->recent(2, std::nullopt)), ElementsAre("SECOND", "FIRST"));
}

TEST_F(StoreTest, ATokenFindsItsNewestRequest) {
  auto store = open();
  auto older = request_named("OLDER", kStart);
  auto newer = request_named("NEWER", kStart);
  older.token_hash = newer.token_hash = Bytes(32, 1);
  ASSERT_TRUE(store->insert(older));
  ASSERT_TRUE(store->insert(newer));
  EXPECT_EQ(store->find_by_token(Bytes(32, 1)).value()->id.text, "NEWER");
  EXPECT_EQ(store->find_by_token(Bytes(32, 2)).value(), std::nullopt);
}

TEST_F(StoreTest, ForgettingTakesOldEndedRequestsAndLeavesTheAuditLog) {
  auto store = open();
  auto old_and_ended = request_named("OLD", kStart);
  old_and_ended.state = State::kDenied;
  ASSERT_TRUE(store->insert(old_and_ended));
  ASSERT_TRUE(store->insert(request_named("OPEN", kStart)));
  ASSERT_TRUE(store->add_wrong_pin(kStart));
  ASSERT_TRUE(store->remember_message("SM1", "approved", kStart));
  ASSERT_TRUE(store->append(event_of("request.deny")));

  ASSERT_TRUE(store->forget_before(kStart + seconds(1)));
  EXPECT_THAT(ids_of(store->recent(9, std::nullopt)), ElementsAre("OPEN"));
  EXPECT_EQ(store->wrong_pins_since(Time{}), 0U);
  EXPECT_EQ(store->message_outcome("SM1").value(), std::nullopt);
  EXPECT_THAT(kinds_of(*store), ElementsAre("request.deny"));
}

Approver approver_named(const std::string& name, std::uint8_t number) {
  Approver approver;
  approver.id.fill(number);
  approver.name = name;
  approver.created_at = kStart;
  return approver;
}

Subscription subscription_of(const Approver& approver, int number) {
  const auto byte = static_cast<std::uint8_t>(number);
  Subscription subscription;
  subscription.id.fill(byte);
  subscription.approver = approver.id;
  subscription.endpoint = "https://push.example/" + std::to_string(number);
  subscription.key = Bytes(65, byte);
  subscription.auth = Bytes(16, byte);
  subscription.label = "phone";
  subscription.created_at = kStart + std::chrono::seconds(number);
  return subscription;
}

TEST_F(StoreTest, SubscriptionsOutliveTheProcessAndEndOneByOneOrWithTheirApprover) {
  const auto anna = approver_named("Anna", 1);
  const auto bea = approver_named("Bea", 2);
  {
    const auto store = open();
    ASSERT_TRUE(store->people().insert(anna));
    ASSERT_TRUE(store->people().insert(bea));
    for (const int number : {5, 3, 4}) ASSERT_TRUE(store->push().insert(subscription_of(anna, number)));
    ASSERT_TRUE(store->push().insert(subscription_of(bea, 6)));
    EXPECT_FALSE(store->push().insert(subscription_of(bea, 6)));
  }
  const auto store = open();
  auto of_anna = store->push().subscriptions_of(anna.id).value();
  ASSERT_EQ(of_anna.size(), 3U);
  EXPECT_EQ(of_anna[0].endpoint, "https://push.example/3");
  EXPECT_EQ(of_anna[0].key, Bytes(65, 3));
  EXPECT_EQ(of_anna[0].auth, Bytes(16, 3));
  of_anna[0].failure = "status 500";
  of_anna[0].told_at = kStart + std::chrono::hours(1);
  ASSERT_TRUE(store->push().update(of_anna[0]));
  EXPECT_EQ(store->push().find(of_anna[0].id).value()->failure, "status 500");
  EXPECT_EQ(store->push().find(of_anna[0].id).value()->told_at, kStart + std::chrono::hours(1));
  ASSERT_TRUE(store->push().remove(of_anna[0].id));
  EXPECT_EQ(store->push().remove(of_anna[0].id).error().kind(), ErrorKind::kNotFound);
  EXPECT_EQ(store->push().update(of_anna[0]).error().kind(), ErrorKind::kNotFound);
  EXPECT_EQ(store->push().all_subscriptions().value().size(), 3U);
  ASSERT_TRUE(store->push().remove_all_of(anna.id));
  ASSERT_EQ(store->push().all_subscriptions().value().size(), 1U);
  EXPECT_EQ(store->push().all_subscriptions().value()[0].approver, bea.id);
}

TEST_F(StoreTest, WrongPinsAndMessagesOutliveTheProcess) {
  {
    auto store = open();
    ASSERT_TRUE(store->add_wrong_pin(kStart));
    ASSERT_TRUE(store->add_wrong_pin(kStart + seconds(10)));
    ASSERT_TRUE(store->remember_message("SM1", "approved", kStart));
  }
  auto store = open();
  EXPECT_EQ(store->wrong_pins_since(kStart), 2U);
  EXPECT_EQ(store->wrong_pins_since(kStart + milliseconds(1)), 1U);
  EXPECT_EQ(store->message_outcome("SM1").value(), "approved");
  EXPECT_EQ(store->message_outcome("SM2").value(), std::nullopt);
}

TEST_F(StoreTest, AProofThatItTakesChangesGrowsTheLogOnDiskAndLeavesNothing) {
  auto store = open();
  const auto log = path_.string() + "-wal";
  const auto before = fs::file_size(log);
  ASSERT_TRUE(store->prove_writable());
  EXPECT_GT(fs::file_size(log), before);
  EXPECT_EQ(store->wrong_pins_since(Time()), 0U);
}

TEST_F(StoreTest, TheAuditLogChainsOnAcrossRestarts) {
  ASSERT_TRUE(open()->append(event_of("request.ask")));
  auto store = open();
  ASSERT_TRUE(store->append(event_of("request.approve")));
  EXPECT_THAT(kinds_of(*store), ElementsAre("request.ask", "request.approve"));
  EXPECT_TRUE(chain_holds(*store));
  EXPECT_EQ(store->audit_rows(2, 9)->size(), 1U);
  EXPECT_EQ(store->audit_rows(1, 1)->size(), 1U);
}

TEST_F(StoreTest, TextOfAnyBytesKeepsTheChainWhole) {
  auto store = open();
  auto event = event_of("refused.webhook");
  event.detail = "line\nquote'\xff\xfe end";
  ASSERT_TRUE(store->append(event));
  EXPECT_EQ(store->audit_rows(1, 1)->front().event.detail, event.detail);
  EXPECT_TRUE(chain_holds(*store));
}

TEST_F(StoreTest, AnEditOfTheFileByHandIsFoundByTheChain) {
  auto store = open();
  ASSERT_TRUE(store->append(event_of("request.ask")));
  ASSERT_TRUE(store->append(event_of("request.approve")));
  ASSERT_TRUE(chain_holds(*store));
  by_hand("UPDATE zkv_audit SET actor = 'somebody else' WHERE number = 1");
  EXPECT_FALSE(chain_holds(*store));
}

TEST_F(StoreTest, AnAuditRowWhoseHashWasRemovedIsCorrupt) {
  auto store = open();
  ASSERT_TRUE(store->append(event_of("request.ask")));
  by_hand("UPDATE zkv_audit SET hash = ''");
  EXPECT_EQ(store->audit_rows(1, 9).error().kind(), ErrorKind::kCorrupt);
  EXPECT_EQ(store->append(event_of("request.approve")).error().kind(), ErrorKind::kCorrupt);
}

TEST_F(StoreTest, ARequestRowThatWasDamagedIsCorruptAndNamed) {
  auto store = open();
  ASSERT_TRUE(store->insert(request_named("DAMAGED")));
  by_hand("UPDATE zkv_request SET pin_mac = 'not hex'");
  const auto found = store->find({"DAMAGED"});
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().kind(), ErrorKind::kCorrupt);
  EXPECT_THAT(found.error().message(), HasSubstr("DAMAGED"));
}

TEST_F(StoreTest, SecretsAreKeptByNameBesideARunningGateway) {
  auto gateway = open();
  auto secrets = SecretTable::open(path_).value();
  ASSERT_TRUE(gateway->insert(request_named("A")));
  ASSERT_TRUE(secrets->put({"key", Bytes{1, 2, 3}, kStart}));
  ASSERT_TRUE(secrets->put({"another", Bytes{4}, kStart}));
  ASSERT_TRUE(secrets->put({"key", Bytes{0, 255}, kStart + seconds(1)}));

  EXPECT_EQ(secrets->get("key")->sealed, (Bytes{0, 255}));
  EXPECT_EQ(secrets->get("key")->changed_at, kStart + seconds(1));
  const auto all = secrets->list().value();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].name, "another");
  EXPECT_EQ(all[1].name, "key");

  ASSERT_TRUE(secrets->remove("key"));
  EXPECT_EQ(secrets->get("key").error().kind(), ErrorKind::kNotFound);
  EXPECT_EQ(secrets->remove("key").error().kind(), ErrorKind::kNotFound);
}

TEST_F(StoreTest, ADamagedSecretIsCorruptAndNamed) {
  auto secrets = SecretTable::open(path_).value();
  ASSERT_TRUE(secrets->put({"key", Bytes{1}, kStart}));
  by_hand("UPDATE zkv_secret SET sealed = 'zz'");
  EXPECT_EQ(secrets->get("key").error().kind(), ErrorKind::kCorrupt);
  EXPECT_EQ(secrets->list().error().kind(), ErrorKind::kCorrupt);
}

/// A store whose rows are sealed by this key.
StoreOptions sealed(std::uint8_t key, bool adopts = false) {
  StoreOptions options;
  options.seal_key = std::make_shared<const SecretBytes>(SecretBytes::copy_of(Bytes(32, key)));
  options.adopts = adopts;
  return options;
}

TEST_F(StoreTest, ARowThatSomethingElseWroteIsRefused) {
  const auto store = open(sealed(1));
  ASSERT_TRUE(store->insert(request_named("A")));
  ASSERT_TRUE(store->find({"A"}));
  for (const std::string change :
       {"state = 'approved'", "address = ''", "created_at = 1", "expires_at = expires_at + 1",
        "pin_mac = 'aa'", "wrong_pins = 1", "token_hash = 'aa'", "decided_by = 'x'", "reason = 'x'",
        "host = 'x'", "seal = ''"}) {
    by_hand("UPDATE zkv_request SET " + change);
    const auto found = store->find({"A"});
    ASSERT_FALSE(found) << change;
    EXPECT_EQ(found.error().kind(), ErrorKind::kCorrupt) << change;
    by_hand("DELETE FROM zkv_request");
    ASSERT_TRUE(store->insert(request_named("A")));
  }
}

TEST_F(StoreTest, RowsOfAnotherKeyAreRefusedUntilTheyAreAdopted) {
  ASSERT_TRUE(open(sealed(1))->insert(request_named("A")));
  EXPECT_FALSE(open(sealed(2))->find({"A"}));
  EXPECT_TRUE(open(sealed(2, true))->find({"A"}));
  EXPECT_TRUE(open(sealed(2))->find({"A"}));
  EXPECT_FALSE(open(sealed(1))->find({"A"}));
}

}  // namespace
}  // namespace zkv::gateway
