// PINs: made, stored and compared so that neither the database nor the time a comparison takes gives one
// away.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string_view>

#include "base/encoding.h"
#include "base/result.h"
#include "base/secret_bytes.h"

namespace zkv::gateway {

/// The 32-byte key under which PINs are stored. It lies in a file beside the database and not in it: six
/// digits could be guessed from a copy of the database otherwise. It outlives restarts, so that a PIN in
/// somebody's pocket does too. Made on first use, mode 0600. Errors: those of load_or_make_private_file().
Result<SecretBytes> load_pin_key(const std::filesystem::path& file);

/// `length` digits, 4 to 18, each number equally likely, by the system's generator.
SecretBytes make_pin(unsigned length);

/// HMAC-SHA-256 under `key` of the number that `text` is: white space around it and leading zeros do not
/// count, as the seed compares numbers. Nothing when it is not a number of at most 18 digits.
std::optional<Bytes> mac_of_pin(std::span<const std::uint8_t> key, std::string_view text);

}  // namespace zkv::gateway
