// Coroutines that wait for the ledger, or for an errand.
#pragma once

#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "base/result.h"
#include "gateway/service/completion.h"
#include "gateway/service/desk.h"
#include "gateway/service/errands.h"
#include "gateway/service/ledger.h"

namespace zkv::gateway {

/// Suspends the coroutine and gives its completion to `start`, which resumes it whenever it likes. (Lambdas
/// have names here before they are awaited: GCC 12 destroys those that are temporaries of a co_await twice.)
template <class T, class Start>
boost::asio::awaitable<T> suspend(Start start) {
  auto initiate = [start = std::move(start)](auto handler) mutable { start(std::move(handler)); };
  co_return co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void(T)>(
      std::move(initiate), boost::asio::use_awaitable);
}

/// Runs `work` as one command of the ledger and carries out what it decided.
boost::asio::awaitable<Result<>> commit(Ledger& ledger, Desk& desk, std::function<Result<>(Decisions&)> work);

/// Runs `work` as one command of the ledger, carries out what it decided, and gives back its value.
template <class T>
boost::asio::awaitable<Result<T>> on_ledger(Ledger& ledger, Desk& desk,
                                            std::function<Result<T>(Decisions&)> work) {
  // Its own memory: the ledger may be at it when the coroutine is gone.
  auto value = std::make_shared<std::optional<T>>();
  auto filling = [value, work = std::move(work)](Decisions& decisions) -> Result<> {
    ZKV_TRY(*value, work(decisions));
    return {};
  };
  const auto committed = co_await commit(ledger, desk, std::move(filling));
  if (!committed) co_return tl::unexpected(committed.error());
  co_return std::move(**value);
}

/// Runs `work` as an errand. Errors: its own; kInterrupted when the gateway is stopping.
template <class T>
boost::asio::awaitable<Result<T>> as_errand(Errands& errands, std::function<Result<T>()> work) {
  auto start = [&errands, work = std::move(work)](typename Completion<Result<T>>::Handler handler) mutable {
    auto completion = std::make_shared<Completion<Result<T>>>(std::move(handler));
    const bool is_begun = errands.submit([completion, work = std::move(work)] { (*completion)(work()); });
    if (!is_begun) (*completion)(Error::interrupted("the gateway is stopping"));
  };
  co_return co_await suspend<Result<T>>(std::move(start));
}

}  // namespace zkv::gateway
