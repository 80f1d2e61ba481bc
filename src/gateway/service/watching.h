// Waiting for a request, or for any, to change: without a thread, and without missing what happens meanwhile.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>

#include "gateway/service/desk.h"
#include "gateway/service/ledger.h"

namespace zkv::gateway {

/// True when `request` changes (with an empty id: any of them), when `is_over`, asked once on the ledger's
/// thread, says that it has changed already or fails, or when the gateway stops. Cancelling the coroutine
/// ends the wait with false. `ledger` may be gone by then.
boost::asio::awaitable<bool> wait_for_change(const std::shared_ptr<Ledger>& ledger, Desk& desk,
                                             RequestId request, std::function<Result<bool>()> is_over);

}  // namespace zkv::gateway
