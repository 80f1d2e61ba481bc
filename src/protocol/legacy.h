// Names of the first protocol that both halves use (docs/protocol.md).
#pragma once

#include <cstddef>
#include <string_view>

namespace zkv::protocol {

inline constexpr std::string_view kRequestKeysPath = "/request-keys";
inline constexpr std::string_view kTokenHeader = "ZKV-Request-Token";
inline constexpr std::string_view kRequestIdHeader = "ZKV-Request-Id";
inline constexpr std::string_view kRequestStateHeader = "ZKV-Request-State";

inline constexpr std::string_view kDeniedState = "denied";
inline constexpr std::string_view kExpiredState = "expired";
inline constexpr std::string_view kCancelledState = "cancelled";
inline constexpr std::string_view kFailedState = "failed";

inline constexpr std::size_t kTokenBytes = 32;     ///< before base64
inline constexpr std::size_t kLongestKey = 4'096;  ///< bytes of a 200's body

}  // namespace zkv::protocol
