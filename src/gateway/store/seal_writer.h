// Writing seals into rows that are there already.
#pragma once

#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "gateway/store/database.h"

namespace zkv::gateway {

/// The key of a row, and its seal.
using SealsByKey = std::vector<std::pair<std::string, std::string>>;

/// `table` and `key` are names of ours. Errors: those of the database.
inline Result<> write_seals(Database& database, const std::string& table, const std::string& key,
                            const SealsByKey& seals) {
  const auto statement = fmt::format("UPDATE {} SET seal = :1 WHERE {} = :2", table, key);
  return database.run("sealing rows", [&](soci::session& sql) {
    for (const auto& [id, seal] : seals) {
      sql << statement, soci::use(seal), soci::use(id);
    }
  });
}

}  // namespace zkv::gateway
