// What is promised of a transaction holds through errors, kills, a full disk, damage and other processes.
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "gateway/store/migrations.h"
#include "gateway/store/secret_table.h"
#include "store_world.h"

namespace zkv::gateway {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;

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

TEST_F(StoreTest, ATransactionThatFailsLeavesNothing) {
  auto store = open();
  const auto done = store->transaction([&]() -> Result<> {
    ZKV_CHECK(store->insert(request_named("A")));
    ZKV_CHECK(store->append(event_of("request.ask")));
    return Error::denied("second thoughts");
  });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().message(), "second thoughts");
  EXPECT_TRUE(store->recent(9, std::nullopt)->requests.empty());
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
  EXPECT_THAT(ids_of(store->recent(9, std::nullopt)), testing::UnorderedElementsAre("A", "B"));
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
  EXPECT_THAT(ids_of(store->recent(9, std::nullopt)), ElementsAre("A"));
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
  EXPECT_THAT(ids_of(store->recent(9, std::nullopt)), ElementsAre("BEFORE"));
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
  EXPECT_THAT(ids_of(store->recent(9, std::nullopt)), ElementsAre("WHOLE"));
  EXPECT_TRUE(chain_holds(*store));
  EXPECT_EQ(kinds_of(*store).size(), 1U);
}

TEST_F(StoreTest, AFullDiskIsAnErrorThatSaysSoAndWhatWasThereStays) {
  auto store = open({.busy_timeout = milliseconds(1'000), .max_pages = 90});
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
  EXPECT_EQ(store->recent(10'000, std::nullopt)->requests.size(), static_cast<std::size_t>(written));
  EXPECT_EQ(kinds_of(*store).size(), static_cast<std::size_t>(written));
  EXPECT_TRUE(chain_holds(*store));
}

TEST_F(StoreTest, AfterTheDiskWasFullTheStoreWorksOnOnceThereIsRoom) {
  {
    auto store = open({.busy_timeout = milliseconds(1'000), .max_pages = 60});
    auto large = request_named("LARGE");
    large.reason = std::string(1'000'000, 'x');
    EXPECT_FALSE(store->transaction([&]() -> Result<> {
      EXPECT_FALSE(store->transaction([&] { return store->insert(large); }));
      // SQLite may have rolled all of it back by itself: this must then not slip in outside the transaction.
      static_cast<void>(store->insert(request_named("SLIPPED")));
      return Error::io("the first part failed");
    }));
    EXPECT_TRUE(store->recent(9, std::nullopt)->requests.empty());
    EXPECT_TRUE(store->insert(request_named("SMALL")));
  }
  EXPECT_THAT(ids_of(open()->recent(9, std::nullopt)), ElementsAre("SMALL"));
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
  EXPECT_THAT(store.error().message(), HasSubstr("version " + std::to_string(schema_version())));
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
  EXPECT_THAT(ids_of(open()->recent(9, std::nullopt)), ElementsAre("A"));
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
  EXPECT_EQ(store->recent(1'000, std::nullopt)->requests.size(), 100U);
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

}  // namespace
}  // namespace zkv::gateway
