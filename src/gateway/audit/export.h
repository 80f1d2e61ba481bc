// The audit log as lines of JSON, to be kept and verified elsewhere.
#pragma once

#include <string>

#include "base/result.h"
#include "crypto/signature.h"
#include "gateway/audit/row.h"

namespace zkv::gateway::audit {

/// The first line of an export: of which gateway it is. Whoever verifies must know that key from elsewhere.
std::string export_head(const crypto::VerifyingKey& key);
/// Errors: kInvalid.
Result<crypto::VerifyingKey> read_export_head(std::string_view line);

/// One row, with all that its hash covers.
std::string export_line(const Row& row);
/// Errors: kInvalid (not such a line).
Result<Row> read_export_line(std::string_view line);

}  // namespace zkv::gateway::audit
