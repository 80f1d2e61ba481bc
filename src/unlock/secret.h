// Secrets: what is no volume, and has a key that others need. It is written to a file in memory, or only kept
// for those who ask zkv for it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "unlock/unlocker.h"

namespace zkv::unlock {

/// Where units fetch secrets that are not written to files (zkv-credentials.socket).
inline constexpr std::string_view kCredentialsSocket = "/run/zkv/credentials.sock";

std::unique_ptr<Unlocker> make_secret_unlocker();

/// The units that may have a secret which is handed to units, of its options unit=; none named: all. Nothing
/// for a secret that is written to a file, or whose settings are not sound.
std::optional<std::vector<std::string>> served_units(const VolumeRef& secret);

}  // namespace zkv::unlock
