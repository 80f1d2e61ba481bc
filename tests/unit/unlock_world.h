// What the tests of ZFS volumes share: keys, and an outcome of one volume.
#pragma once

#include <gmock/gmock.h>

#include <string>
#include <string_view>

#include "unlock/unlocker.h"

namespace zkv::test {

inline const std::string kHexA(64, 'a');
inline const std::string kHexB(64, 'b');
inline constexpr std::string_view kRaw = "0123456789abcdef0123456789ABCDE\n";  // 32 bytes, the last a newline
/// PBKDF2 of "correct horse" by Python's hashlib.pbkdf2_hmac("sha1", ...): salt 0x0123456789abcdef as 8
/// little-endian bytes, 100'000 iterations.
inline const std::string kPassphraseKey = "6e1a324b35e5a8aac4a6fc7d86d447693b9b8027411d220dcf1d33cf8db58df7";

inline auto happened(const std::string& volume, unlock::Happened what) {
  return testing::AllOf(testing::Field(&unlock::Outcome::volume, volume),
                        testing::Field(&unlock::Outcome::happened, what));
}

}  // namespace zkv::test
