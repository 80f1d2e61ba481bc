// What the tests of a host share: its repository's key, and the answer of a gateway.
#pragma once

#include <string>
#include <string_view>

#include "net/http_client.h"

namespace zkv::test {

inline const std::string kKey = "Zm9yIHRlc3RzIG9ubHksIHRoaXMgaXMgbm8ga2V5ISE=";

/// In the first protocol; `state` and `retry_after` only where they are given.
inline net::HttpResponse response(long status, std::string_view body, const std::string& state = {},
                                  const std::string& retry_after = {}) {
  net::HttpResponse made;
  made.status = status;
  made.body = SecretBytes::copy_of(body);
  if (!state.empty()) made.headers.emplace_back("zkv-request-state", state);
  if (!retry_after.empty()) made.headers.emplace_back("retry-after", retry_after);
  return made;
}

}  // namespace zkv::test
