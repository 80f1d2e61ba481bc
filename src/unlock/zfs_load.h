// Bringing many keys to ZFS at once, by either road.
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <stop_token>
#include <vector>

#include "base/result.h"
#include "base/secret_bytes.h"
#include "repository/volume_keys.h"
#include "unlock/unlocker.h"
#include "unlock/zfs.h"
#include "unlock/zfs_program.h"

namespace zkv::unlock {

/// One key on its way to the dataset whose rule it must fit.
struct KeyLoad {
  std::string name;
  std::span<const std::uint8_t> key;
  KeyRule rule;
  std::optional<repository::DerivedKey> derived = std::nullopt;  ///< taken in place of deriving where it fits
};

/// What came of a KeyLoad: nothing wrong, or kInvalid (form of the key), kUnsupported (more iterations than
/// kMostIterations), kWrongKey, kExists (loaded already), kNotFound, kInterrupted, kIo and the like.
struct KeyLoaded {
  Result<> result;
  std::chrono::milliseconds took{0};
  SecretBytes derived = {};  ///< what a passphrase gave and ZFS took, unless the KeyLoad had it already
};

/// Loads (or tries) all keys: wrapping keys are derived on all cores, then loaded, parents first.
/// One answer for each load in its order.
std::vector<KeyLoaded> load_keys(const std::vector<KeyLoad>& loads, Attempt attempt,
                                 const ZfsOptions& options, const ZfsProgram& program,
                                 const std::stop_token& stop);

/// Loads what costs nothing to try: derived keys, and keys that are wrapping keys themselves. Where there is
/// no libzfs_core none is tried, and there are no answers.
std::vector<KeyLoaded> load_keys_at_sight(const std::vector<KeyLoad>& loads, const ZfsOptions& options,
                                          const std::stop_token& stop);

/// The same backwards, for names: children first. kNotFound where no key is loaded, kConflict
/// where it is in use.
std::vector<Result<>> unload_keys(const std::vector<std::string>& names, const ZfsOptions& options,
                                  const ZfsProgram& program, const std::stop_token& stop);

}  // namespace zkv::unlock
