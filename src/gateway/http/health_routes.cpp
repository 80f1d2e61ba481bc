// The details of what is wrong go to the log, not to whoever asks.
#include "gateway/http/health_routes.h"

#include <spdlog/spdlog.h>

namespace zkv::gateway::http {

namespace {

Reply plain(std::string body) {
  Reply reply = empty(200);
  reply.body = std::move(body);
  return reply;
}

boost::asio::awaitable<Reply> live(Incoming /*incoming*/) { co_return plain("alive\n"); }

}  // namespace

void add_health_routes(Router& router, Service& service) {
  const auto ready = [&service](Incoming /*incoming*/) -> boost::asio::awaitable<Reply> {
    const auto checked = co_await service.check();
    if (checked) co_return plain("ready\n");
    spdlog::error("not ready: {}", checked.error().message());
    co_return problem(503, "the store does not answer");
  };
  for (const char* method : {"GET", "HEAD"}) {
    router.add(method, "/livez", live);
    router.add(method, "/readyz", ready);
  }
}

}  // namespace zkv::gateway::http
