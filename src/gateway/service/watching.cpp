// One watch, from its start to its end.
#include "gateway/service/watching.h"

#include <boost/asio/associated_cancellation_slot.hpp>
#include <utility>

#include "gateway/service/suspend.h"

namespace zkv::gateway {

namespace asio = boost::asio;

asio::awaitable<bool> wait_for_change(const std::shared_ptr<Ledger>& ledger, Desk& desk, RequestId request,
                                      std::function<Result<bool>()> is_over) {
  // Whoever waits must not keep the ledger alive: a client may go when all else is gone.
  auto start = [&running = *ledger, weak = std::weak_ptr(ledger), &desk, request = std::move(request),
                is_over = std::move(is_over)](Completion<bool>::Handler handler) {
    auto slot = asio::get_associated_cancellation_slot(handler);
    const auto watch = std::make_shared<Watch>(request, Completion<bool>(std::move(handler)));
    if (slot.is_connected()) {
      slot.assign([&desk, weak, watch](asio::cancellation_type /*type*/) {
        Command leave{[] { return Result<>(); },
                      [&desk, watch](const Result<>&) { desk.watchers().remove(watch); }};
        if (const auto alive = weak.lock()) alive->submit(std::move(leave));
      });
    }
    const auto has_changed = std::make_shared<bool>(false);
    running.submit({[is_over, has_changed]() -> Result<> {
                      ZKV_TRY(*has_changed, is_over());
                      return {};
                    },
                    [&desk, watch, has_changed](const Result<>& committed) {
                      if (!committed || *has_changed) return watch->end(true);
                      desk.watchers().add(watch);
                    }});
  };
  co_return co_await suspend<bool>(std::move(start));
}

}  // namespace zkv::gateway
