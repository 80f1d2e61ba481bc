// The coroutines that callers await, each one command of the ledger.
#include "gateway/service/ledger_service.h"

#include <fmt/format.h>

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

namespace zkv::gateway {
namespace {

namespace asio = boost::asio;

constexpr std::size_t kMostListed = 1'000;
/// Whoever asks for our health all the time does not make the disk write all the time.
constexpr std::chrono::seconds kProofStands{1};

/// Suspends the coroutine and gives its completion to `start`, which resumes it whenever it likes. (Lambdas
/// have names here before they are awaited: GCC 12 destroys those that are temporaries of a co_await twice.)
template <class T, class Start>
asio::awaitable<T> suspend(Start start) {
  auto initiate = [start = std::move(start)](auto handler) mutable { start(std::move(handler)); };
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<>, void(T)>(std::move(initiate),
                                                                                  asio::use_awaitable);
}

Result<Request> unless_expired(Result<Request> request) {
  if (!request || request->state != State::kExpired) return request;
  return Error::conflict(fmt::format("request {} has expired: {}", request->id.text, request->reason))
      .remedy("let the host ask again");
}

}  // namespace

template <class T>
asio::awaitable<Result<T>> LedgerService::on_ledger(std::function<Result<T>(Decisions&)> work) {
  struct Question {
    Completion<Result<T>> completion;
    std::function<Result<T>(Decisions&)> work;
    std::optional<T> value;
    Decisions decisions;
  };
  auto start = [this, work = std::move(work)](typename Completion<Result<T>>::Handler handler) mutable {
    auto question = std::make_shared<Question>(
        Question{Completion<Result<T>>(std::move(handler)), std::move(work), std::nullopt, {}});
    ledger_->submit({
        [question]() -> Result<> {
          ZKV_TRY(question->value, question->work(question->decisions));
          return {};
        },
        [this, question](const Result<>& committed) {
          if (!committed) return question->completion(tl::unexpected(committed.error()));
          desk_.carry_out(question->decisions);
          question->completion(std::move(*question->value));
        },
    });
  };
  co_return co_await suspend<Result<T>>(std::move(start));
}

asio::awaitable<Answer> LedgerService::wait_for_release(Ask ask) {
  auto start = [this, ask = std::move(ask)](Completion<Answer>::Handler handler) {
    auto slot = asio::get_associated_cancellation_slot(handler);
    const auto ticket = std::make_shared<Ticket>(Completion<Answer>(std::move(handler)));
    if (slot.is_connected()) {
      slot.assign([ledger = std::weak_ptr(ledger_),
                   gone = asks_.client_gone(ticket)](asio::cancellation_type /*type*/) {
        if (const auto alive = ledger.lock()) alive->submit(gone);
      });
    }
    ledger_->submit(asks_.ask(ticket, ask));
  };
  co_return co_await suspend<Answer>(std::move(start));
}

void LedgerService::delivered(const RequestId& id, bool in_full) {
  ledger_->submit(asks_.delivered(id, in_full));
}

asio::awaitable<Result<PinOutcome>> LedgerService::receive_pin(std::string digits, std::string message,
                                                               std::string by) {
  return on_ledger<PinOutcome>(
      [this, digits = std::move(digits), message = printable(std::move(message)),
       by = std::move(by)](Decisions& decisions) { return pins_.receive(digits, message, by, decisions); });
}

asio::awaitable<Result<std::vector<Request>>> LedgerService::requests(bool also_ended) {
  return on_ledger<std::vector<Request>>([this, also_ended](Decisions&) {
    return also_ended ? store_->recent(kMostListed) : store_->open_requests();
  });
}

asio::awaitable<Result<Request>> LedgerService::request(RequestId id) {
  return on_ledger<Request>([this, id = std::move(id)](Decisions&) { return store_->find(id); });
}

asio::awaitable<Result<Request>> LedgerService::approve(RequestId id, std::string by) {
  Event event = event::Approve{by};
  return decide_by_person(std::move(id), std::move(event), std::move(by));
}

asio::awaitable<Result<Request>> LedgerService::deny(RequestId id, std::string by, std::string reason) {
  Event event = event::Deny{by, printable(std::move(reason))};
  return decide_by_person(std::move(id), std::move(event), std::move(by));
}

asio::awaitable<Result<Request>> LedgerService::decide_by_person(RequestId id, Event event, std::string by) {
  std::function<Result<Request>(Decisions&)> work =
      [this, id = std::move(id), event = std::move(event),
       by = std::move(by)](Decisions& decisions) -> Result<Request> {
    ZKV_TRY(const auto request, store_->find(id));
    return desk_.apply(request, event, by, decisions);
  };
  auto decided = co_await on_ledger<Request>(std::move(work));
  co_return unless_expired(std::move(decided));
}

asio::awaitable<Result<std::size_t>> LedgerService::approve_all(std::string by) {
  return on_ledger<std::size_t>([this, by = std::move(by)](Decisions& decisions) -> Result<std::size_t> {
    ZKV_TRY(const auto requests, store_->open_requests());
    std::size_t approved = 0;
    for (const auto& request : requests) {
      if (request.state != State::kPending) continue;
      ZKV_TRY(const auto next, desk_.apply(request, event::Approve{by}, by, decisions));
      if (next.state == State::kApproved) ++approved;
    }
    return approved;
  });
}

asio::awaitable<Result<>> LedgerService::check() {
  const auto begun = std::chrono::steady_clock::now();
  const bool writes = begun >= proved_at_.load() + kProofStands;
  std::function<Result<unsigned>(Decisions&)> work = [this, writes](Decisions&) -> Result<unsigned> {
    if (writes) ZKV_CHECK(store_->prove_writable());
    return store_->wrong_pins_since(now());
  };
  const auto counted = co_await on_ledger<unsigned>(std::move(work));
  if (!counted) co_return tl::unexpected(counted.error());
  if (writes) proved_at_ = begun;
  co_return Result<>{};
}

}  // namespace zkv::gateway
