// New ids of requests.
#pragma once

#include "crypto/random.h"
#include "gateway/approval/request.h"

namespace zkv::gateway {

/// Crockford's base32: no letter that is taken for another one, or for a digit.
inline constexpr std::string_view kCrockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

inline RequestId random_request_id() {
  RequestId id{std::string(10, '0')};
  for (auto& c : id.text) c = kCrockford[crypto::random_below(kCrockford.size())];
  return id;
}

}  // namespace zkv::gateway
