// Requests as rows: the statements on zkv_request.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "gateway/approval/request.h"
#include "gateway/store/database.h"
#include "gateway/store/row_seal.h"
#include "gateway/store/store.h"

namespace zkv::gateway {

/// A request as the database holds it: times in milliseconds since 1970, bytes in hex.
struct RequestRow {
  std::string id;
  std::string state;
  std::string address;
  long long created_at = 0;
  long long expires_at = 0;
  std::string pin_mac;
  int wrong_pins = 0;
  std::string token_hash;
  soci::indicator has_token = soci::i_null;
  std::string decided_by;
  std::string reason;
  std::string host;
  std::string seal;
};

RequestRow to_row(const Request& request);
/// Errors: kCorrupt, naming the request.
Result<Request> from_row(const RequestRow& row);
Error no_request(const RequestId& id);

class RequestTable {
 public:
  RequestTable(Database& database, RowSeal seal) : database_(database), seal_(std::move(seal)) {}

  Result<> insert(const Request& request);
  /// Errors: kConflict when the row is not in state `from`.
  Result<> update(const Request& next, State from);
  /// `rest` is what follows the table's name in the SELECT; `parameter` fills its :parameter, if it has one.
  Result<std::vector<Request>> select(const std::string& rest, const std::optional<std::string>& parameter);
  /// The same, each one that is damaged by its id.
  Result<RequestList> list(const std::string& rest, const std::optional<std::string>& parameter);
  /// The first of them that is not damaged.
  Result<std::optional<Request>> first_sound(const std::string& rest,
                                             const std::optional<std::string>& parameter);
  /// Errors: kNotFound.
  Result<> discard(const RequestId& id);
  Result<> forget_before(Time before);
  /// Seals what is there, whoever wrote it.
  Result<> adopt();

 private:
  Result<long long> run_update();
  RequestRow sealed_row(const Request& request) const;
  Result<Request> checked(const RequestRow& row) const;
  Result<std::vector<RequestRow>> rows(const std::string& rest, const std::optional<std::string>& parameter);

  Database& database_;
  RowSeal seal_;
  RequestRow row_;    ///< what the prepared statement is bound to
  std::string from_;  ///< the same
  std::optional<soci::statement> update_;
};

}  // namespace zkv::gateway
