// The audit log as rows: appending to the chain, and reading it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "gateway/audit/row.h"
#include "gateway/store/database.h"

namespace zkv::gateway {

class AuditTable {
 public:
  explicit AuditTable(Database& database) : database_(database) {}

  /// To be called inside a transaction: reads the end of the chain and appends to it.
  Result<> append(const audit::Event& event);
  Result<std::vector<audit::Row>> rows(std::uint64_t first, std::size_t limit);
  Result<std::optional<audit::Row>> head();
  Result<std::map<std::string, std::string>> logged_asks();

 private:
  struct Text {
    long long number = 0;
    long long at = 0;
    std::string kind, request, actor, detail, previous, hash;
  };
  static Result<audit::Row> row_from(const Text& text);
  Result<std::vector<Text>> select(const std::string& rest);
  Result<> insert(const audit::Row& row);

  Database& database_;
  Text text_;  ///< what the prepared statement is bound to
  std::optional<soci::statement> insert_;
};

}  // namespace zkv::gateway
