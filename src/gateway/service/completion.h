// A coroutine that is parked until the service has its answer: resumed once, on its own executor.
#pragma once

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <optional>
#include <utility>

namespace zkv::gateway {

/// Costs a coroutine frame and nothing else while it waits. Called from any thread, at most once; one that is
/// destroyed without a call destroys the coroutine.
template <class T>
class Completion {
 public:
  using Handler = typename boost::asio::async_result<boost::asio::use_awaitable_t<>, void(T)>::handler_type;

  explicit Completion(Handler handler) : handler_(std::move(handler)) {}

  [[nodiscard]] bool is_open() const { return handler_.has_value(); }

  void operator()(T value) {
    if (!handler_) return;
    auto executor = boost::asio::get_associated_executor(*handler_);
    boost::asio::post(executor, [handler = std::move(*handler_), answer = std::move(value)]() mutable {
      handler(std::move(answer));
    });
    handler_.reset();
  }

 private:
  std::optional<Handler> handler_;
};

}  // namespace zkv::gateway
