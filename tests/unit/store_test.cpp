// The store on real files: what is promised of a transaction holds through errors, kills, a full disk, damage
// and other processes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "gateway/store/secret_table.h"
#include "gateway/store/store.h"

namespace zkv::gateway {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr Time kStart{milliseconds(1'700'000'000'000)};

class StoreTest : public testing::Test {
 protected:
  StoreTest() {
    std::string name = (fs::temp_directory_path() / "zkv-store-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    path_ = folder_ / "gateway.db";
  }
  ~StoreTest() override { fs::remove_all(folder_); }

  std::unique_ptr<Store> open(StoreOptions options = {}) {
    auto store = Store::open(path_, options);
    EXPECT_TRUE(store) << store.error().message();
    return store ? std::move(*store) : nullptr;
  }

  /// Whoever edits the file behind the gateway's back.
  void by_hand(const std::string& statement) {
    soci::session sql(soci::sqlite3, "dbname=" + path_.string());
    sql << statement;
  }

  fs::path folder_;
  fs::path path_;
};

Request request_named(const std::string& id, Time created_at = kStart) {
  Request request;
  request.id = {id};
  request.address = "192.0.2.7";
  request.created_at = created_at;
  request.expires_at = created_at + seconds(60);
  return request;
}

audit::Event event_of(const std::string& kind) { return {kStart, kind, "A", "console:uid 0", "detail"}; }

std::vector<std::string> ids_of(const Result<std::vector<Request>>& requests) {
  std::vector<std::string> ids;
  for (const auto& request : requests.value()) ids.push_back(request.id.text);
  return ids;
}

std::vector<std::string> kinds_of(Store& store) {
  std::vector<std::string> kinds;
  const auto rows = store.audit_rows(1, 1'000'000);
  for (const auto& row : rows.value()) kinds.push_back(row.event.kind);
  return kinds;
}

bool chain_holds(Store& store) {
  crypto::Sha256 previous{};
  std::uint64_t number = 1;
  const auto rows = store.audit_rows(1, 1'000'000);
  for (const auto& row : rows.value()) {
    if (!audit::verify(row, number++, previous)) return false;
    previous = row.hash;
  }
  return true;
}

/// Runs `body` in a child process; returns how it ended, as waitpid tells it.
int in_child(const std::function<void()>& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    body();
    ::_exit(0);
  }
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return status;
}

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
  EXPECT_THAT(ids_of(store->recent(2)), ElementsAre("SECOND", "FIRST"));
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
  EXPECT_THAT(ids_of(store->recent(9)), ElementsAre("OPEN"));
  EXPECT_EQ(store->wrong_pins_since(Time{}), 0U);
  EXPECT_EQ(store->message_outcome("SM1").value(), std::nullopt);
  EXPECT_THAT(kinds_of(*store), ElementsAre("request.deny"));
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

TEST_F(StoreTest, ATransactionThatFailsLeavesNothing) {
  auto store = open();
  const auto done = store->transaction([&]() -> Result<> {
    ZKV_CHECK(store->insert(request_named("A")));
    ZKV_CHECK(store->append(event_of("request.ask")));
    return Error::denied("second thoughts");
  });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().message(), "second thoughts");
  EXPECT_TRUE(store->recent(9)->empty());
  EXPECT_TRUE(kinds_of(*store).empty());
}

TEST_F(StoreTest, APartThatFailsLeavesTheRestOfTheTransaction) {
  auto store = open();
  ASSERT_TRUE(store->transaction([&]() -> Result<> {
    ZKV_CHECK(store->transaction([&]() -> Result<> {
      ZKV_CHECK(store->append(event_of("request.ask")));
      return store->insert(request_named("A"));
    }));
    const auto second = store->transaction([&]() -> Result<> {
      ZKV_CHECK(store->append(event_of("request.ask")));
      return store->insert(request_named("A"));
    });
    EXPECT_FALSE(second);
    return store->transaction([&] { return store->insert(request_named("B")); });
  }));
  EXPECT_THAT(ids_of(store->recent(9)), testing::UnorderedElementsAre("A", "B"));
  EXPECT_EQ(kinds_of(*store).size(), 1U);
  EXPECT_TRUE(chain_holds(*store));
}

TEST_F(StoreTest, AfterAnSqlErrorTheSameTransactionCannotGoOnAsIfNothingHappened) {
  auto store = open();
  ASSERT_TRUE(store->insert(request_named("A")));
  const auto done = store->transaction([&]() -> Result<> {
    EXPECT_FALSE(store->insert(request_named("A")));
    EXPECT_FALSE(store->insert(request_named("B")));
    return {};
  });
  EXPECT_FALSE(done);
  EXPECT_THAT(ids_of(store->recent(9)), ElementsAre("A"));
  EXPECT_TRUE(store->insert(request_named("B"))) << "the next transaction is a new one";
}

TEST_F(StoreTest, NoAuditRowNoChange) {
  auto store = open();
  ASSERT_TRUE(store->insert(request_named("A")));
  by_hand("CREATE TRIGGER broken BEFORE INSERT ON zkv_audit BEGIN SELECT RAISE(ABORT, 'no log today'); END");
  const auto done = store->transaction([&]() -> Result<> {
    auto released = request_named("A");
    released.state = State::kReleased;
    ZKV_CHECK(store->update(released, State::kPending));
    return store->append(event_of("request.release"));
  });
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().message(), HasSubstr("no log today"));
  EXPECT_EQ(store->find({"A"})->state, State::kPending);
}

TEST_F(StoreTest, KilledInTheMiddleOfATransactionNothingOfItIsThere) {
  ASSERT_TRUE(open()->insert(request_named("BEFORE")));
  const int status = in_child([&] {
    auto store = open();
    static_cast<void>(store->transaction([&]() -> Result<> {
      ZKV_CHECK(store->insert(request_named("HALF")));
      ::raise(SIGKILL);
      return store->append(event_of("request.ask"));
    }));
  });
  ASSERT_TRUE(WIFSIGNALED(status));
  auto store = open();
  EXPECT_THAT(ids_of(store->recent(9)), ElementsAre("BEFORE"));
  EXPECT_TRUE(kinds_of(*store).empty());
}

TEST_F(StoreTest, KilledAfterTheCommitAllOfItIsThere) {
  const int status = in_child([&] {
    auto store = open();
    static_cast<void>(store->transaction([&]() -> Result<> {
      ZKV_CHECK(store->insert(request_named("WHOLE")));
      return store->append(event_of("request.ask"));
    }));
    ::raise(SIGKILL);
  });
  ASSERT_TRUE(WIFSIGNALED(status));
  auto store = open();
  EXPECT_THAT(ids_of(store->recent(9)), ElementsAre("WHOLE"));
  EXPECT_TRUE(chain_holds(*store));
  EXPECT_EQ(kinds_of(*store).size(), 1U);
}

TEST_F(StoreTest, AFullDiskIsAnErrorThatSaysSoAndWhatWasThereStays) {
  auto store = open({.busy_timeout = milliseconds(1'000), .max_pages = 40});
  Result<> done;
  int written = 0;
  while (done && written < 10'000) {
    auto request = request_named("R" + std::to_string(written));
    request.reason = std::string(2'000, 'x');
    done = store->transaction([&]() -> Result<> {
      ZKV_CHECK(store->insert(request));
      return store->append(event_of("request.ask"));
    });
    if (done) ++written;
  }
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().kind(), ErrorKind::kIo);
  EXPECT_THAT(done.error().remedy(), HasSubstr("room"));
  EXPECT_GT(written, 3);
  EXPECT_EQ(store->recent(10'000)->size(), static_cast<std::size_t>(written));
  EXPECT_EQ(kinds_of(*store).size(), static_cast<std::size_t>(written));
  EXPECT_TRUE(chain_holds(*store));
}

TEST_F(StoreTest, AfterTheDiskWasFullTheStoreWorksOnOnceThereIsRoom) {
  {
    auto store = open({.busy_timeout = milliseconds(1'000), .max_pages = 20});
    auto large = request_named("LARGE");
    large.reason = std::string(1'000'000, 'x');
    EXPECT_FALSE(store->transaction([&]() -> Result<> {
      EXPECT_FALSE(store->transaction([&] { return store->insert(large); }));
      // SQLite may have rolled all of it back by itself: this must then not slip in outside the transaction.
      static_cast<void>(store->insert(request_named("SLIPPED")));
      return Error::io("the first part failed");
    }));
    EXPECT_TRUE(store->recent(9)->empty());
    EXPECT_TRUE(store->insert(request_named("SMALL")));
  }
  EXPECT_THAT(ids_of(open()->recent(9)), ElementsAre("SMALL"));
}

TEST_F(StoreTest, AFileThatIsNoDatabaseIsCorrupt) {
  std::ofstream(path_) << std::string(8'192, 'z');
  const auto store = Store::open(path_);
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().kind(), ErrorKind::kCorrupt);
  EXPECT_THAT(store.error().remedy(), HasSubstr("backup"));
}

TEST_F(StoreTest, ADatabaseWithDamagedPagesIsCorrupt) {
  {
    auto store = open();
    for (int i = 0; i < 200; ++i) ASSERT_TRUE(store->insert(request_named("R" + std::to_string(i))));
  }
  ASSERT_FALSE(fs::exists(path_.string() + "-wal")) << "closing writes the log back into the file";
  std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(4'096);
  file << std::string(fs::file_size(path_) - 4'096, '\xa5');
  file.close();
  const auto store = Store::open(path_);
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().kind(), ErrorKind::kCorrupt) << store.error().message();
}

TEST_F(StoreTest, ANewerSchemaIsRefusedWithBothVersions) {
  open();
  by_hand("UPDATE zkv_schema SET version = 7000");
  const auto store = Store::open(path_);
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().kind(), ErrorKind::kUnsupported);
  EXPECT_THAT(store.error().message(), HasSubstr("7000"));
  EXPECT_THAT(store.error().message(), HasSubstr("version 1"));
  EXPECT_EQ(SecretTable::open(path_).error().kind(), ErrorKind::kUnsupported);
}

TEST_F(StoreTest, AMigrationThatFailsHalfWayLeavesTheFileAsItWas) {
  by_hand("CREATE TABLE zkv_message (ours TEXT)");
  EXPECT_FALSE(Store::open(path_));
  soci::session sql(soci::sqlite3, "dbname=" + path_.string());
  int ours = 0;
  sql << "SELECT COUNT(*) FROM sqlite_master WHERE name LIKE 'zkv_%' AND type = 'table'", soci::into(ours);
  EXPECT_EQ(ours, 1) << "only the table that stood in the way";
}

TEST_F(StoreTest, TheSeedsOwnTablesInTheSameFileAreLeftAlone) {
  by_hand("CREATE TABLE request (id INTEGER PRIMARY KEY, pin TEXT)");
  by_hand("INSERT INTO request (pin) VALUES ('123456')");
  ASSERT_TRUE(open()->insert(request_named("A")));
  soci::session sql(soci::sqlite3, "dbname=" + path_.string());
  std::string pin;
  sql << "SELECT pin FROM request", soci::into(pin);
  EXPECT_EQ(pin, "123456");
}

TEST_F(StoreTest, OnlyItsOwnerReadsTheFilesEvenWhenTheyWereReadableBefore) {
  std::ofstream(path_) << "";
  ASSERT_EQ(::chmod(path_.c_str(), 0644), 0);
  auto store = open();
  ASSERT_TRUE(store->insert(request_named("A")));
  for (const auto* suffix : {"", "-wal", "-shm"}) {
    struct stat status {};
    ASSERT_EQ(::stat((path_.string() + suffix).c_str(), &status), 0) << suffix;
    EXPECT_EQ(status.st_mode & 07777, 0600U) << suffix;
  }
}

TEST_F(StoreTest, AFolderThatIsNotThereIsAnErrorThatNamesThePath) {
  const auto store = Store::open(folder_ / "nowhere" / "gateway.db");
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().kind(), ErrorKind::kIo);
  EXPECT_THAT(store.error().message(), HasSubstr("nowhere"));
  EXPECT_FALSE(Store::open(folder_)) << "a folder is no database";
  EXPECT_EQ(Store::open(folder_ / "a\"b").error().kind(), ErrorKind::kInvalid);
}

TEST_F(StoreTest, APathWithSpacesIsAPath) {
  path_ = folder_ / "my gateway = here" / "the data base.db";
  fs::create_directory(path_.parent_path());
  ASSERT_TRUE(open()->insert(request_named("A")));
  EXPECT_TRUE(fs::exists(path_));
  EXPECT_THAT(ids_of(open()->recent(9)), ElementsAre("A"));
}

TEST_F(StoreTest, SeveralProcessesMakeAndWriteOneFileTogether) {
  std::vector<pid_t> children;
  for (int n = 0; n < 4; ++n) {
    const pid_t child = ::fork();
    if (child == 0) {
      auto store = Store::open(path_);
      bool ok = store.has_value();
      for (int i = 0; ok && i < 25; ++i) {
        ok = (*store)
                 ->transaction([&]() -> Result<> {
                   ZKV_CHECK((*store)->insert(request_named(std::to_string(n) + "-" + std::to_string(i))));
                   return (*store)->append(event_of("request.ask"));
                 })
                 .has_value();
      }
      ::_exit(ok ? 0 : 1);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  auto store = open();
  EXPECT_EQ(store->recent(1'000)->size(), 100U);
  EXPECT_EQ(kinds_of(*store).size(), 100U);
  EXPECT_TRUE(chain_holds(*store));
}

TEST_F(StoreTest, AnotherProcessThatHoldsTheLockTooLongIsSaidSo) {
  auto holder = open();
  auto store = open({.busy_timeout = milliseconds(20)});
  ASSERT_TRUE(holder->transaction([&]() -> Result<> {
    const auto blocked = store->insert(request_named("A"));
    EXPECT_FALSE(blocked);
    EXPECT_EQ(blocked.error().kind(), ErrorKind::kUnavailable);
    return {};
  }));
  EXPECT_TRUE(store->insert(request_named("A")));
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

}  // namespace
}  // namespace zkv::gateway
