// From method and path to the handler.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <string>
#include <vector>

#include "gateway/http/message.h"

namespace zkv::gateway::http {

class Router {
 public:
  using Handler = std::function<boost::asio::awaitable<Reply>(Incoming)>;

  /// `pattern` is a path of which one part may be a star: it stands for any one part, handed on as
  /// Incoming::parameter.
  void add(std::string method, std::string pattern, Handler handler);
  /// Runs the handler. No such path: 404; another method: 405 with Allow. Thread-safe.
  [[nodiscard]] boost::asio::awaitable<Reply> route(Incoming incoming) const;

 private:
  struct Route {
    std::string method;
    std::string pattern;
    Handler handler;
  };
  std::vector<Route> routes_;
};

}  // namespace zkv::gateway::http
