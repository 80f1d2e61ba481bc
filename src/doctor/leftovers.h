// Whether the bytes of a file are something that opens the volumes by itself. Only their form is looked at:
// no key is ever tried.
#pragma once

#include <optional>

#include "base/secret_bytes.h"
#include "doctor/facts.h"

namespace zkv::doctor {

/// No larger file is looked at.
inline constexpr std::size_t kLargestKeyFile = std::size_t{64} << 10U;

/// A repository's key (one line of 44 characters in base64 of 32 bytes), a recovery kit as text or as zkv's
/// own PDF, or a repository.
std::optional<Leftover::Kind> leftover_in(const SecretBytes& bytes);

}  // namespace zkv::doctor
