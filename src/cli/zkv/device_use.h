// What volumes of a repository lie on, and where they are mounted.
#pragma once

#include <string>

#include "base/result.h"
#include "repository/volume_keys.h"
#include "unlock/unlocker.h"

namespace zkv::cli {

/// Whether the next boot finds that device by this name. Errors: kInvalid, for a loop device.
Result<> check_lasts(const std::string& device);

/// Whether no volume in the repository lies on that device, nor has its header there. Errors: kExists.
Result<> check_unused(const repository::VolumeKeys& keys, const std::string& device);

/// Whether no other volume opens the same part of the same device. Those kinds that have no header tell by
/// their options which part it is. Errors: kExists.
Result<> check_its_own(const repository::VolumeKeys& keys, const unlock::VolumeRef& volume,
                       repository::VolumeKind kind);

/// Whether no other volume is to be mounted, or written, at the same path. Errors: kExists.
Result<> check_place_its_own(const repository::VolumeKeys& keys, const unlock::VolumeRef& volume);

}  // namespace zkv::cli
