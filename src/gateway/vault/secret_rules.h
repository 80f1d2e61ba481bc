// What every vault takes: names and values that can move from one kind of vault to another.
#pragma once

#include <string>

#include "base/result.h"
#include "base/secret_bytes.h"

namespace zkv::gateway {

/// A name has 1 to 127 letters, digits and hyphens. Errors: kInvalid.
/// Source: Azure Key Vault, "Object identifiers, and object names".
Result<> check_secret_name(const std::string& name);

/// A value that is deposited has 1 to 25'600 printable ASCII characters, as base64 has. Errors: kInvalid (the
/// message does not show it).
Result<> check_secret_value(const SecretBytes& value);

}  // namespace zkv::gateway
