// The coroutines that callers await, each one command of the ledger.
#include "gateway/service/ledger_service.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <cstdint>
#include <limits>
#include <utility>

#include "gateway/service/suspend.h"

namespace zkv::gateway {
namespace {

namespace asio = boost::asio;

/// Whoever asks for our health all the time does not make the disk write all the time.
constexpr std::chrono::seconds kProofStands{1};

Result<Request> unless_expired(Result<Request> request) {
  if (!request || request->state != State::kExpired) return request;
  return Error::conflict(fmt::format("request {} has expired: {}", request->id.text, request->reason))
      .remedy("let the host ask again");
}

}  // namespace

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
      *ledger_, desk_,
      [this, digits = std::move(digits), message = printable(std::move(message)),
       by = std::move(by)](Decisions& decisions) { return pins_.receive(digits, message, by, decisions); });
}

asio::awaitable<Result<CardList>> LedgerService::open_requests() {
  return on_ledger<CardList>(*ledger_, desk_, [this](Decisions&) -> Result<CardList> {
    const auto all = std::numeric_limits<std::int64_t>::max();
    ZKV_TRY(auto requests, store_->first_open(all));
    return cards_of(*store_, std::move(requests), all);
  });
}

asio::awaitable<Result<CardList>> LedgerService::history(HistoryAsk ask) {
  return on_ledger<CardList>(*ledger_, desk_, [this, ask = std::move(ask)](Decisions&) -> Result<CardList> {
    const auto limit = std::clamp<std::size_t>(ask.limit, 1, kMostListed);
    ZKV_TRY(auto requests, store_->recent(limit + 1, ask.before));
    return cards_of(*store_, std::move(requests), limit);
  });
}

asio::awaitable<Result<RequestCard>> LedgerService::request(RequestId id) {
  return on_ledger<RequestCard>(*ledger_, desk_,
                                [this, id = std::move(id)](Decisions&) -> Result<RequestCard> {
                                  ZKV_TRY(const auto request, store_->find(id));
                                  return card_of(*store_, request);
                                });
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
  std::function<Result<Request>(Decisions&)> work = [this, id = std::move(id), event = std::move(event),
                                                     by](Decisions& decisions) -> Result<Request> {
    ZKV_TRY(const auto request, store_->find(id));
    if (std::holds_alternative<event::Approve>(event)) ZKV_CHECK(card_of(*store_, request));
    return desk_.apply(request, event, by, decisions);
  };
  auto outcome = co_await on_ledger<Request>(*ledger_, desk_, std::move(work));
  auto decided = unless_expired(std::move(outcome));
  if (!decided && is_refused_decision(decided.error())) {
    note_refusal("refused.decision", std::move(by), decided.error().message());
  }
  co_return decided;
}

asio::awaitable<Result<RequestId>> LedgerService::discard(RequestId id, std::string by) {
  std::function<Result<RequestId>(Decisions&)> work =
      [this, id = std::move(id), by = std::move(by)](Decisions& decisions) -> Result<RequestId> {
    ZKV_TRY(const auto damage, damage_of(id));
    ZKV_CHECK(store_->discard(id));
    ZKV_CHECK(desk_.note("request.discard", id.text, by, damage));
    Desk::drop(id, decisions);
    return id;
  };
  return on_ledger<RequestId>(*ledger_, desk_, std::move(work));
}

Result<std::string> LedgerService::damage_of(const RequestId& id) {
  const auto request = store_->find(id);
  if (!request && request.error().kind() != ErrorKind::kCorrupt) return tl::unexpected(request.error());
  if (!request) return request.error().message();
  const auto card = card_of(*store_, *request);
  if (!card && is_damage(card.error())) return card.error().message();
  if (!card) return tl::unexpected(card.error());
  return Error::conflict("request " + id.text + " is not damaged")
      .remedy("'zkvgateway request deny' ends it");
}

asio::awaitable<Result<std::size_t>> LedgerService::approve_all(std::string by) {
  return on_ledger<std::size_t>(
      *ledger_, desk_, [this, by = std::move(by)](Decisions& decisions) -> Result<std::size_t> {
        const auto all = std::numeric_limits<std::int64_t>::max();
        ZKV_TRY(auto requests, store_->open_requests());
        ZKV_TRY(const auto list, cards_of(*store_, std::move(requests), all));
        std::size_t approved = 0;
        for (const auto& card : list.cards) {
          if (card.request.state != State::kPending) continue;
          ZKV_TRY(const auto next, desk_.apply(card.request, event::Approve{by}, by, decisions));
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
  const auto counted = co_await on_ledger<unsigned>(*ledger_, desk_, std::move(work));
  if (!counted) co_return tl::unexpected(counted.error());
  if (writes) proved_at_ = begun;
  co_return Result<>{};
}

}  // namespace zkv::gateway
