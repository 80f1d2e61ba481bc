// The statements on zkv_secret, over a connection of their own.
#include "gateway/store/secret_table.h"

#include <fmt/format.h>

#include "gateway/store/database.h"

namespace zkv::gateway {
namespace {

Error no_such_secret(const std::string& name) {
  return Error::not_found(fmt::format("there is no secret '{}' in the embedded vault", name))
      .remedy(fmt::format("'zkvgateway secret set {}' makes it", name));
}

struct Text {
  std::string name;
  std::string sealed;
  long long changed_at = 0;
};

Result<SecretRow> row_from(const Text& text) {
  auto sealed = from_hex(text.sealed);
  if (!sealed) {
    return Error::corrupt(fmt::format("the database's row of secret '{}' is damaged", text.name))
        .remedy("set the secret again, or restore the database from the last backup");
  }
  return SecretRow{text.name, std::move(*sealed), time_of(text.changed_at)};
}

class SqliteSecretTable : public SecretTable {
 public:
  explicit SqliteSecretTable(std::unique_ptr<Database> database) : database_(std::move(database)) {}

  Result<> put(const SecretRow& row) override {
    return database_->run("storing a secret", [&](soci::session& sql) {
      const auto sealed = to_hex(row.sealed);
      const auto changed_at = milliseconds_of(row.changed_at);
      sql << "INSERT INTO zkv_secret (name, sealed, changed_at) VALUES (:name, :sealed, :changed_at) "
             "ON CONFLICT (name) DO UPDATE SET sealed = excluded.sealed, changed_at = excluded.changed_at",
          soci::use(row.name), soci::use(sealed), soci::use(changed_at);
    });
  }

  Result<SecretRow> get(const std::string& name) override {
    Text text{name, "", 0};
    ZKV_TRY(const bool found, database_->run("reading a secret", [&](soci::session& sql) {
      sql << "SELECT sealed, changed_at FROM zkv_secret WHERE name = :name", soci::use(name),
          soci::into(text.sealed), soci::into(text.changed_at);
      return sql.got_data();
    }));
    if (!found) return no_such_secret(name);
    return row_from(text);
  }

  Result<std::vector<SecretRow>> list() override {
    ZKV_TRY(const auto texts, database_->run("listing secrets", [&](soci::session& sql) {
      std::vector<Text> all;
      Text text;
      soci::statement statement =
          (sql.prepare << "SELECT name, sealed, changed_at FROM zkv_secret ORDER BY name",
           soci::into(text.name), soci::into(text.sealed), soci::into(text.changed_at));
      statement.execute(false);
      while (statement.fetch()) all.push_back(text);
      return all;
    }));
    std::vector<SecretRow> rows;
    for (const auto& text : texts) {
      ZKV_TRY(auto row, row_from(text));
      rows.push_back(std::move(row));
    }
    return rows;
  }

  Result<> remove(const std::string& name) override {
    ZKV_TRY(const auto rows, database_->run("deleting a secret", [&](soci::session& sql) {
      soci::statement statement =
          (sql.prepare << "DELETE FROM zkv_secret WHERE name = :name", soci::use(name));
      statement.execute(true);
      return statement.get_affected_rows();
    }));
    if (rows == 0) return no_such_secret(name);
    return empty_log();
  }

 private:
  /// What was deleted must not lie in the write-ahead log, nor what was there before in the file itself.
  /// While another connection reads, SQLite leaves it for the next time. Source: sqlite.org, "PRAGMA
  /// wal_checkpoint".
  Result<> empty_log() {
    return database_->run("emptying the log", [](soci::session& sql) {
      int busy = 0;
      int frames = 0;
      int moved = 0;
      sql << "PRAGMA wal_checkpoint(TRUNCATE)", soci::into(busy), soci::into(frames), soci::into(moved);
    });
  }

  std::unique_ptr<Database> database_;
};

}  // namespace

Result<std::unique_ptr<SecretTable>> SecretTable::open(const std::filesystem::path& path) {
  ZKV_TRY(auto database, Database::open(path, StoreOptions{}, false));
  return std::make_unique<SqliteSecretTable>(std::move(database));
}

}  // namespace zkv::gateway
