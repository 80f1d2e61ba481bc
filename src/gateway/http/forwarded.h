// Who the client is when proxies stand between: X-Forwarded-For and -Proto, believed only of trusted ones.
#pragma once

#include <boost/beast/http/fields.hpp>
#include <span>

#include "gateway/settings/network.h"

namespace zkv::gateway::http {

struct Origin {
  AddressBytes address{};
  bool secure = false;
};

/// `peer` is the connection's other end as it is. Where it is trusted, the client is the right-most address
/// in X-Forwarded-For that is not a trusted proxy; what stands left of that could be invented by anyone.
Origin origin_of(const Origin& peer, const boost::beast::http::fields& headers,
                 std::span<const Network> trusted);

}  // namespace zkv::gateway::http
