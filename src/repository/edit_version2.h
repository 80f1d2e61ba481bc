// Inside this room only: one change to an open version 2 repository, from lock to rename.
#pragma once

#include <filesystem>
#include <functional>

#include "base/result.h"
#include "repository/change.h"
#include "repository/store.h"
#include "repository/version2.h"

namespace zkv::repository {

/// Opens the file that was read under the lock, lets `change` work, writes the next generation, and gives
/// that.
Result<Version2> edit_version2(const LockedFile& locked, const SecretBytes& key,
                               const std::function<Result<>(Version2& repository)>& change);

/// Writes `repository` as the generation after the one it has, and after any that was seen here; remembers
/// that. A newer PATH.previous is kept aside before.
Result<> write_next_generation(const WriteLock& lock, Version2& repository);

/// Wraps the repository key in one more slot; returns its id. Errors: as add_slot().
Result<std::uint32_t> append_slot_for(Version2& repository, const NewSlot& wanted);

}  // namespace zkv::repository
