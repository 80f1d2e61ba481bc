// Each state that somebody's decision led to has a row of its kind; of requests that are forgotten nothing is
// asked.
#include "decided_check.h"

#include <fmt/format.h>

#include "gateway/service/desk.h"

namespace zkv::cli {

Result<> DecidedCheck::look_at(gateway::Store& store) {
  ZKV_TRY(const auto decided, store.decided());
  for (const auto& request : decided.requests) {
    missing_.emplace(request.id.text, gateway::kind_of_row(request.state));
  }
  return {};
}

void DecidedCheck::take(const gateway::audit::Row& row) {
  const auto found = missing_.find(row.event.request);
  if (found != missing_.end() && found->second == row.event.kind) missing_.erase(found);
}

Result<> DecidedCheck::check_all_found() const {
  if (missing_.empty()) return {};
  const auto& [id, kind] = *missing_.begin();
  return Error::corrupt(
             fmt::format("the audit log has no row '{}' of request {}, of which the database holds that "
                         "state; requests without their row: {}",
                         kind, id, missing_.size()))
      .remedy("rows were cut off, or the database was changed outside the gateway; compare it with a backup");
}

}  // namespace zkv::cli
