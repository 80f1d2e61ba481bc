// One connection to the gateway's SQLite file: transactions, and SOCI's exceptions turned into errors. The
// only header that names SOCI; it stays inside this room.
#pragma once

#include <soci/soci.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "gateway/store/store.h"

namespace zkv::gateway {

/// A point in time as the tables hold it.
constexpr long long milliseconds_of(Time time) { return time.time_since_epoch().count(); }
constexpr Time time_of(long long milliseconds) { return Time(std::chrono::milliseconds(milliseconds)); }

class Database {
 public:
  /// As Store::open, but whether the file is whole is only checked with `check_all`.
  static Result<std::unique_ptr<Database>> open(const std::filesystem::path& path,
                                                const StoreOptions& options, bool check_all);

  /// See Store::transaction.
  Result<> transaction(const std::function<Result<>()>& work);

  /// Calls `action(session)` and turns what SOCI throws into an error that begins with `what`.
  template <class Action>
  auto run(const std::string& what, Action action)
      -> Result<decltype(action(std::declval<soci::session&>()))> {
    if (aborted_) return refused(what);
    try {
      if constexpr (std::is_void_v<decltype(action(sql_))>) {
        action(sql_);
        return {};
      } else {
        return action(sql_);
      }
    } catch (const std::exception& thrown) {
      return failed(what, thrown);
    }
  }
  Result<> execute(const std::string& statement);

  [[nodiscard]] bool in_transaction() const { return depth_ > 0; }
  soci::session& session() { return sql_; }

 private:
  explicit Database(std::filesystem::path path) : path_(std::move(path)) {}

  Result<> connect(const StoreOptions& options);
  Result<> use_wal();
  Result<> check_whole();
  Result<> part(const std::function<Result<>()>& work);
  Error refused(const std::string& what) const;
  Error failed(const std::string& what, const std::exception& thrown);

  std::filesystem::path path_;
  soci::session sql_;
  int depth_ = 0;
  bool aborted_ = false;  ///< an SQL error happened in the innermost transaction or part
};

}  // namespace zkv::gateway
