// The fixed first bytes of a version 2 file. Layout: docs/repository-format.md, "Header".
#pragma once

#include <array>
#include <cstdint>

#include "base/time.h"
#include "repository/slot.h"

namespace zkv::repository {

/// The first byte is not ASCII and the line ends are of both kinds, so that a transfer as text shows itself.
inline constexpr std::array<std::uint8_t, 8> kMagic{0x89, 'Z', 'K', 'V', '\r', '\n', 0x1a, '\n'};
inline constexpr std::uint16_t kFormatVersion = 2;
inline constexpr std::size_t kHeaderSize = 48;
/// The end of the year 9999 in milliseconds since 1970: no time in a file is later.
inline constexpr std::uint64_t kLatestTime = 253'402'300'799'999;

struct Header {
  RepositoryId id{};
  std::uint64_t generation = 0;  ///< one more at each writing
  Time written;
};

}  // namespace zkv::repository
