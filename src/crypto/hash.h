// Digests and message authentication: SHA-256, HMAC-SHA-256, and HMAC-SHA-1 where a vendor's protocol wants
// it.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace zkv::crypto {

using Sha256 = std::array<std::uint8_t, 32>;
using Sha1 = std::array<std::uint8_t, 20>;

Sha256 sha256(std::span<const std::uint8_t> bytes);
/// RFC 2104 with SHA-256; a key of any length.
Sha256 hmac_sha256(std::span<const std::uint8_t> key, std::span<const std::uint8_t> bytes);
/// RFC 2104 with SHA-1, for webhook signatures that are defined so; never for anything of our own.
Sha1 hmac_sha1(std::span<const std::uint8_t> key, std::span<const std::uint8_t> bytes);

}  // namespace zkv::crypto
