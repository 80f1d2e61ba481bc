// The embedded vault's rows: sealed secrets by name, in the gateway's database.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/encoding.h"
#include "base/result.h"
#include "base/time.h"

namespace zkv::gateway {

struct SecretRow {
  std::string name;
  Bytes sealed;  ///< as the embedded vault sealed it; opaque here
  Time changed_at;
};

/// A connection of its own to the database, for one thread at a time; works beside a running gateway.
class SecretTable {
 public:
  /// Opens (and migrates) the database at `path`. Errors: kIo, kUnsupported (a newer schema).
  static Result<std::unique_ptr<SecretTable>> open(const std::filesystem::path& path);
  virtual ~SecretTable() = default;

  virtual Result<> put(const SecretRow& row) = 0;
  /// Errors: kNotFound.
  virtual Result<SecretRow> get(const std::string& name) = 0;
  virtual Result<std::vector<SecretRow>> list() = 0;
  /// Errors: kNotFound.
  virtual Result<> remove(const std::string& name) = 0;
};

}  // namespace zkv::gateway
