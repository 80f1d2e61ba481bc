// Opening the SQLite file safely, and transactions with parts that can fail by themselves (savepoints).
#include "gateway/store/database.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <soci/sqlite3/soci-sqlite3.h>
#include <sys/stat.h>

#include <cerrno>

#include "base/file.h"
#include "gateway/store/migrations.h"

namespace zkv::gateway {
namespace {

/// An empty file of mode 0600, where there is none yet.
Result<> create_private(const std::filesystem::path& path) {
  const FileDescriptor fd(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, 0600));
  if (fd.is_open() || errno == EEXIST) return {};
  return Error::system(fmt::format("opening the database {}", path.string()), errno)
      .remedy("the folder must exist and belong to the gateway's user");
}

/// SQLite would make the file readable by all; its -wal and -shm files take over the mode of this one. A file
/// that exists is not opened here: closing it would drop the locks that this process's other connections
/// hold, and the next process to close the database would then delete their log. Source: "How To Corrupt An
/// SQLite Database File", 2.2.
Result<> make_private(const std::filesystem::path& path) {
  ZKV_CHECK(create_private(path));
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return Error::system(path.string(), errno);
  if (!S_ISREG(status.st_mode)) return Error::invalid(fmt::format("{} is not a regular file", path.string()));
  if ((status.st_mode & 0077) == 0) return {};
  if (::chmod(path.c_str(), 0600) == 0) return {};
  return Error::system(fmt::format("taking the rights of others on {}", path.string()), errno)
      .remedy("run: chmod 600 " + path.string());
}

Error error_for(int code, std::string message, const std::string& path) {
  switch (code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return Error::corrupt(std::move(message))
          .remedy(fmt::format("restore {} (and its -wal file) from the last backup", path));
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return Error::unavailable(std::move(message)).remedy("another process holds the database; try again");
    case SQLITE_FULL:
      return Error::io(std::move(message)).remedy("make room on the file system of " + path);
    case SQLITE_CONSTRAINT:
      return Error::internal(std::move(message));
    default:
      return Error::io(std::move(message)).remedy(fmt::format("look at the rights and the disk of {}", path));
  }
}

std::string part_name(int depth) { return fmt::format("zkv_part_{}", depth); }

}  // namespace

Result<std::unique_ptr<Database>> Database::open(const std::filesystem::path& path,
                                                 const StoreOptions& options, bool check_all) {
  if (path.string().find('"') != std::string::npos) {
    return Error::invalid(fmt::format("the database's path {} has a quotation mark in it", path.string()));
  }
  ZKV_CHECK(make_private(path));
  std::unique_ptr<Database> database(new Database(path));
  ZKV_CHECK(database->connect(options));
  if (check_all) ZKV_CHECK(database->check_whole());
  ZKV_CHECK(database->use_wal());
  ZKV_CHECK(migrate(*database));
  return database;
}

Result<> Database::connect(const StoreOptions& options) {
  ZKV_CHECK(run("opening", [&](soci::session& sql) {
    sql.open(soci::sqlite3, fmt::format("dbname=\"{}\"", path_.string()));
  }));
  ZKV_CHECK(execute(fmt::format("PRAGMA busy_timeout = {}", options.busy_timeout.count())));
  ZKV_CHECK(execute("PRAGMA foreign_keys = ON"));
  ZKV_CHECK(execute("PRAGMA synchronous = FULL"));
  ZKV_CHECK(execute("PRAGMA secure_delete = ON"));
  if (options.max_pages == 0) return {};
  return execute(fmt::format("PRAGMA max_page_count = {}", options.max_pages));
}

/// Two processes that make the same new file would trip over one another here, where SQLite does not wait.
Result<> Database::use_wal() {
  const auto mode_after = [this](const char* pragma) {
    return run("choosing the journal", [&](soci::session& sql) {
      std::string mode;
      sql << pragma, soci::into(mode);
      return mode;
    });
  };
  ZKV_TRY(auto mode, mode_after("PRAGMA journal_mode"));
  if (mode == "wal") return {};
  ZKV_TRY(const auto lock, FileLock::acquire(path_));
  ZKV_TRY(mode, mode_after("PRAGMA journal_mode = WAL"));
  if (mode == "wal") return {};
  return Error::unsupported(fmt::format("the database {} cannot use a write-ahead log", path_.string()))
      .remedy("put the data folder on a local file system");
}

Result<> Database::check_whole() {
  ZKV_TRY(const auto found, run("checking", [](soci::session& sql) {
            std::string text;
            sql << "PRAGMA quick_check(1)", soci::into(text);
            return text;
          }));
  if (found == "ok") return {};
  return error_for(SQLITE_CORRUPT, fmt::format("the database {} is damaged: {}", path_.string(), found),
                   path_.string());
}

Result<> Database::execute(const std::string& statement) {
  return run(statement.substr(0, statement.find_first_of("(\n")),
             [&](soci::session& sql) { sql << statement; });
}

Result<> Database::transaction(const std::function<Result<>()>& work) {
  if (depth_ > 0) return part(work);
  ZKV_CHECK(execute("BEGIN IMMEDIATE"));
  ++depth_;
  auto done = work();
  if (done) done = execute("COMMIT");
  --depth_;
  aborted_ = false;
  // After some errors SQLite has rolled back by itself: this one then fails, and has nothing left to do.
  if (!done) static_cast<void>(execute("ROLLBACK"));
  return done;
}

Result<> Database::part(const std::function<Result<>()>& work) {
  const auto name = part_name(depth_);
  ZKV_CHECK(execute("SAVEPOINT " + name));
  ++depth_;
  auto done = work();
  if (done) done = execute("RELEASE " + name);
  --depth_;
  if (done) return done;
  aborted_ = false;
  // If this fails the whole transaction is gone: `aborted_` then keeps the rest of it from being written.
  if (execute("ROLLBACK TO " + name)) static_cast<void>(execute("RELEASE " + name));
  return done;
}

Error Database::refused(const std::string& what) const {
  return Error::io(fmt::format("{}: not done, as an earlier step of the same transaction failed", what));
}

Error Database::failed(const std::string& what, const std::exception& thrown) {
  if (depth_ > 0) aborted_ = true;
  const auto* from_sqlite = dynamic_cast<const soci::sqlite3_soci_error*>(&thrown);
  return error_for(from_sqlite != nullptr ? from_sqlite->result() : SQLITE_ERROR,
                   fmt::format("database {}: {}: {}", path_.string(), what, thrown.what()), path_.string());
}

}  // namespace zkv::gateway
