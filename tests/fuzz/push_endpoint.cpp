// Endpoints that a browser says messages go to: only those at allowed push services are taken.
#include <string>

#include "fuzz.h"
#include "gateway/channel/push_hosts.h"

namespace zkv::fuzz_push_endpoint {
ZKV_FUZZ_TARGET(push_endpoint) {
  using namespace zkv;  // NOLINT(google-build-using-namespace)
  const gateway::PushHosts hosts({"push.example", "*.wide.example", "http://127.0.0.1:8030"});
  const auto address = hosts.check(std::string(fuzz::text_of({data, size})));
  if (!address) {
    fuzz::require_words(address.error());
    return 0;
  }
  const auto origin = gateway::origin_of(*address);
  fuzz::require(origin == "https://push.example" || origin == "http://127.0.0.1:8030" ||
                    (origin.starts_with("https://") && origin.ends_with(".wide.example")),
                "only an allowed push service is taken");
  const auto again = hosts.check(address->url);
  fuzz::require(again && gateway::origin_of(*again) == origin, "what was judged is what is called");
  return 0;
}

}  // namespace zkv::fuzz_push_endpoint
