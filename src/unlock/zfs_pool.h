// Pools that come and go with their volumes, by zpool(8).
#pragma once

#include <string>

#include "base/result.h"
#include "unlock/zfs.h"

namespace zkv::unlock {

/// Imports the pool and mounts nothing; never by force. It stays out of zpool.cache, or the system would try
/// to import it at the next boot before its devices are open. One that is imported already is success.
/// Errors: kNotFound (no device that is there belongs to a pool of that name, or zpool(8) is not installed),
/// kConflict (another machine had it last), kIo with zpool's words, kUnavailable (it did not answer in time).
Result<> import_pool(const std::string& pool, const ZfsOptions& options);
/// What `zpool history -i` tells of the pool, internal events too. Errors: kNotFound, kIo (also a history
/// that is too long to be read), kUnavailable.
Result<std::string> history_of_pool(const std::string& pool, const ZfsOptions& options);
/// Unmounts what is mounted of the pool, and lets it go. Errors: kConflict (in use), kIo with zpool's words,
/// kUnavailable.
Result<> export_pool(const std::string& pool, const ZfsOptions& options);

}  // namespace zkv::unlock
