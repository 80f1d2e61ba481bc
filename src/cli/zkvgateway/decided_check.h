// Holds what the database says was decided against the log: rows that were cut off its end leave their
// requests behind.
#pragma once

#include <map>
#include <string>

#include "base/result.h"
#include "gateway/audit/row.h"
#include "gateway/store/store.h"

namespace zkv::cli {

class DecidedCheck {
 public:
  /// To be called before the first row is read, so that a gateway that goes on meanwhile has written the rows
  /// of all that is found here.
  Result<> look_at(gateway::Store& store);
  void take(const gateway::audit::Row& row);
  /// After the last row. Errors: kCorrupt, naming a request whose state has no row.
  [[nodiscard]] Result<> check_all_found() const;

 private:
  std::map<std::string, std::string> missing_;  ///< by the request's id: the kind of its row
};

}  // namespace zkv::cli
