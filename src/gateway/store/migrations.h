// The schema of the gateway's database, as a list of steps from each version to the next.
#pragma once

#include "base/result.h"

namespace zkv::gateway {

class Database;

/// The version that this program makes and reads.
int schema_version();
/// Brings the database to schema_version() in one transaction. Errors: kUnsupported for a newer schema.
Result<> migrate(Database& database);

}  // namespace zkv::gateway
