// Requests, tries and the audit log in SQL. For one thread at a time; the service's own thread is that one.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "gateway/approval/request.h"
#include "gateway/audit/row.h"

namespace zkv::gateway {

class Store {
 public:
  /// Opens the SQLite database at `path` (WAL, synchronous=FULL) and migrates it to this program's schema.
  /// Errors: kIo, kCorrupt, kUnsupported (made by a newer program: the message names both versions).
  static Result<std::unique_ptr<Store>> open(const std::filesystem::path& path);
  virtual ~Store() = default;

  /// Runs `work` in one transaction: all of it is there afterwards, or nothing.
  virtual Result<> transaction(const std::function<Result<>()>& work) = 0;

  virtual Result<> insert(const Request& request) = 0;
  /// Writes `next` where the row is still in state `from`. Errors: kConflict when it is not.
  virtual Result<> update(const Request& next, State from) = 0;
  /// Errors: kNotFound.
  virtual Result<Request> find(const RequestId& id) = 0;
  virtual Result<std::optional<Request>> find_by_token(const Bytes& token_hash) = 0;
  /// Those that have not ended, oldest first.
  virtual Result<std::vector<Request>> open_requests() = 0;
  virtual Result<std::vector<Request>> recent(std::size_t limit) = 0;
  /// Deletes ended requests older than `before`; the audit log keeps what happened.
  virtual Result<> forget_before(Time before) = 0;

  virtual Result<> append(const audit::Event& event) = 0;
  virtual Result<std::vector<audit::Row>> audit_rows(std::uint64_t first, std::size_t limit) = 0;

  /// Wrong PINs since a time, for the hourly limit that outlives a restart.
  virtual Result<unsigned> wrong_pins_since(Time since) = 0;
  virtual Result<> add_wrong_pin(Time at) = 0;
  /// The outcome that a provider's message had, if it was seen before; and remembers a new one.
  virtual Result<std::optional<std::string>> message_outcome(const std::string& message) = 0;
  virtual Result<> remember_message(const std::string& message, const std::string& outcome, Time at) = 0;
};

}  // namespace zkv::gateway
