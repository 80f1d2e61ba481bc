// Time-based one-time codes (RFC 6238) as all authenticator apps make them: HMAC-SHA-1, six digits, 30
// seconds. Pure, and the only room that includes liboath.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/secret_bytes.h"
#include "base/time.h"

namespace zkv::gateway::totp {

inline constexpr std::size_t kSecretSize = 20;
inline constexpr std::size_t kDigits = 6;
/// Clocks may differ by so many steps of 30 seconds, either way.
inline constexpr std::int64_t kWindow = 1;

/// From the system's generator.
SecretBytes make_secret();
/// How many steps of 30 seconds lie between 1970 and `at`.
std::int64_t step_at(Time at);
/// The code of a step: six digits.
std::string code_of(const SecretBytes& secret, std::int64_t step);
/// The earliest step within the window around `now` and after `last` whose code this is. Takes the same time
/// whatever the code is.
std::optional<std::int64_t> step_of(const SecretBytes& secret, std::string_view code, Time now,
                                    std::int64_t last);

/// RFC 4648 base32 without padding, as apps take it from a keyboard.
SecretBytes to_base32(const SecretBytes& secret);
/// What apps take from a QR code: otpauth://totp/ISSUER:ACCOUNT?secret=…&issuer=….
/// Source: the "Key Uri Format" of google-authenticator's wiki.
SecretBytes key_uri(const SecretBytes& secret, std::string_view issuer, std::string_view account);

}  // namespace zkv::gateway::totp
