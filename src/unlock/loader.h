// One call of a loader: how it is run, and what its exit codes mean. Source: docs/loaders.md.
#pragma once

#include <cstdint>
#include <span>
#include <stop_token>
#include <string>

#include "unlock/command.h"

namespace zkv::unlock {

enum class LoaderVerb { kOpen, kClose, kStatus, kTest };

/// The exit codes of loaders. Whatever is not named here is a failure.
enum class LoaderCode {
  kDone = 0,    ///< it is open; closed; open (status); the key fits
  kFailed = 1,  ///< and every other code
  kWrongKey = 10,
  kUnusableKey = 11,  ///< not of the form that it takes
  kOpen = 12,         ///< it was open before
  kNotOpen = 13,
  kMissing = 14,     ///< nothing is there
  kNotAVolume = 15,  ///< what is there is nothing for this loader
  kCannotTry = 16,   ///< no key can be tried without opening
};

struct LoaderAnswer {
  LoaderCode code = LoaderCode::kFailed;
  std::string complaint;  ///< what it said, fit for a terminal: at most a few hundred bytes, never the key
};

/// Calls the volume's program. `key` is what it reads on stdin: at most kLongestLoaderKey bytes.
/// Errors: those of check_guarded_program(); kInvalid (too long a key), kUnavailable (the time limit passed;
/// it was killed), kInterrupted (it opened, and did not end soon after a stop request; it was killed), kIo.
Result<LoaderAnswer> call_loader(const VolumeRef& volume, LoaderVerb verb, std::span<const std::uint8_t> key,
                                 const CommandOptions& options, const std::stop_token& stop = {});

/// Ends an opening of the volume that is still under way, whoever began it. Errors: those of
/// stop_unfinished().
Result<> end_opening(const VolumeRef& volume, const CommandOptions& options);
inline constexpr std::size_t kLongestLoaderKey = 4096;

}  // namespace zkv::unlock
