// The plaintext of a version 2 body: records of volumes. Layout: docs/repository-format.md, "Body".
#pragma once

#include "base/result.h"
#include "base/secret_bytes.h"
#include "repository/volume_keys.h"

namespace zkv::repository {

SecretBytes write_body(const VolumeKeys& keys);
/// Errors: kCorrupt.
Result<VolumeKeys> read_body(const SecretBytes& body);

}  // namespace zkv::repository
