// Whether something changed, and who else must hear of it.
#include "renewing.h"

#include <unistd.h>

namespace zkv::cli {

bool renew_copies(Session& session) {
  if (::geteuid() != 0 || !session.before) return true;
  const auto after = host::RepositoryFiles::of(session.repository);
  if (*session.before == after) return true;
  session.before = after;
  const auto failures = host::run_renewed_programs(host::kRenewedPrograms, session.repository);
  for (const auto& failure : failures) {
    report(Error(failure).context("the change stands, but what is kept of it elsewhere was not renewed"));
  }
  return failures.empty();
}

}  // namespace zkv::cli
