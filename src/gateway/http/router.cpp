// A short list, looked through from its start.
#include "gateway/http/router.h"

namespace zkv::gateway::http {

namespace {

/// Whether `path` is what `pattern` describes; then `parameter` is what stood for its star.
bool matches(std::string_view pattern, std::string_view path, std::string& parameter) {
  const auto star = pattern.find('*');
  if (star == std::string_view::npos) return pattern == path;
  const auto after = pattern.substr(star + 1);
  if (path.size() < star + after.size() || !path.starts_with(pattern.substr(0, star)) ||
      !path.ends_with(after)) {
    return false;
  }
  const auto middle = path.substr(star, path.size() - star - after.size());
  if (middle.empty() || middle.find('/') != std::string_view::npos) return false;
  parameter = middle;
  return true;
}

}  // namespace

void Router::add(std::string method, std::string pattern, Handler handler) {
  routes_.push_back({std::move(method), std::move(pattern), std::move(handler)});
}

boost::asio::awaitable<Reply> Router::route(Incoming incoming) const {
  std::string allowed;
  for (const auto& route : routes_) {
    if (!matches(route.pattern, incoming.path(), incoming.parameter)) continue;
    if (route.method == incoming.method) co_return co_await route.handler(std::move(incoming));
    allowed += (allowed.empty() ? "" : ", ") + route.method;
  }
  if (allowed.empty()) co_return problem(404, "nothing is served at this path");
  Reply reply = problem(405, "this path takes other methods: " + allowed);
  reply.headers.emplace_back("Allow", allowed);
  co_return reply;
}

}  // namespace zkv::gateway::http
