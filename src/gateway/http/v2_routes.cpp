// Answers in JSON, signed where the protocol wants it.
#include "gateway/http/v2_routes.h"

#include <utility>

namespace zkv::gateway::http {

void add_v2_routes(Router& router, V2Options options) {
  const auto state = std::make_shared<const V2Options>(std::move(options));
  router.add("GET", "/v2/gateway", [state](Incoming /*incoming*/) -> boost::asio::awaitable<Reply> {
    co_return json(200, protocol::to_json(state->identity->statement(state->name, now())));
  });
}

}  // namespace zkv::gateway::http
