// Which push services messages may go to. What a browser gives as its endpoint comes from outside: without
// this list anybody with a session could make the gateway call any address that it can reach.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "net/address.h"

namespace zkv::gateway {

class PushHosts {
 public:
  /// Each is "push.example" (that host), "*.push.example" (all below it), both https at its usual port, or an
  /// origin, "https://push.example:8443", or "http://127.0.0.1:8030" on this machine itself.
  explicit PushHosts(std::vector<std::string> allowed) : allowed_(std::move(allowed)) {}

  /// The endpoint taken apart, if it is at one of them. Errors: kInvalid (no address, or with a user name),
  /// kDenied named "push-host".
  [[nodiscard]] Result<net::Address> check(const std::string& endpoint) const;

 private:
  std::vector<std::string> allowed_;
};

/// "https://push.example" or with a port that its scheme does not imply.
std::string origin_of(const net::Address& address);

}  // namespace zkv::gateway
