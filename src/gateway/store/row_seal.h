// A keyed hash in each row that gives somebody power, so that a row which something else than the gateway
// wrote is found when it is read.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/secret_bytes.h"

namespace zkv::gateway {

/// What a row says, column by column, in the order that its table's file gives.
using Columns = std::vector<std::string>;

/// Does not tell that a whole row is missing, or that it is an older one of the same table and key: the audit
/// log does.
class RowSeal {
 public:
  /// Without a key rows are neither sealed nor checked.
  explicit RowSeal(std::shared_ptr<const SecretBytes> key) : key_(std::move(key)) {}

  /// HMAC-SHA-256 over table and columns, each with its length before it; empty without a key.
  [[nodiscard]] std::string of(std::string_view table, const Columns& columns) const;
  /// Errors: kCorrupt, naming table and first column.
  [[nodiscard]] Result<> check(std::string_view table, const Columns& columns, const std::string& seal) const;

 private:
  std::shared_ptr<const SecretBytes> key_;
};

}  // namespace zkv::gateway
