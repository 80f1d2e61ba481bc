// The service itself: coroutines on one side, the ledger's commands on the other.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <vector>

#include "gateway/service/asks.h"
#include "gateway/service/checkpoints.h"
#include "gateway/service/desk.h"
#include "gateway/service/errands.h"
#include "gateway/service/ledger.h"
#include "gateway/service/ledger_boots.h"
#include "gateway/service/ledger_enrolments.h"
#include "gateway/service/ledger_heartbeats.h"
#include "gateway/service/ledger_host_asks.h"
#include "gateway/service/ledger_people.h"
#include "gateway/service/ledger_push.h"
#include "gateway/service/ledger_totps.h"
#include "gateway/service/notices.h"
#include "gateway/service/pin_desk.h"
#include "gateway/service/refusals.h"
#include "gateway/service/releases.h"
#include "gateway/service/service.h"

namespace zkv::gateway {

class LedgerService : public Service {
 public:
  LedgerService(std::unique_ptr<Store> store, std::unique_ptr<Vault> vault,
                std::vector<std::unique_ptr<Channel>> channels, ServiceOptions options);
  ~LedgerService() override;

  /// Ends what the last run left without a client, and starts the threads.
  Result<> begin();

  boost::asio::awaitable<Answer> wait_for_release(Ask ask) override;
  void delivered(const RequestId& id, bool in_full) override;
  boost::asio::awaitable<Result<PinOutcome>> receive_pin(std::string digits, std::string message,
                                                         std::string by) override;
  void note_refusal(std::string kind, std::string address, std::string detail) override;
  boost::asio::awaitable<Result<CardList>> open_requests() override;
  boost::asio::awaitable<Result<CardList>> history(HistoryAsk ask) override;
  boost::asio::awaitable<Result<RequestCard>> request(RequestId id) override;
  boost::asio::awaitable<Result<Request>> approve(RequestId id, std::string by) override;
  boost::asio::awaitable<Result<Request>> deny(RequestId id, std::string by, std::string reason) override;
  boost::asio::awaitable<Result<RequestId>> discard(RequestId id, std::string by) override;
  boost::asio::awaitable<Result<std::size_t>> approve_all(std::string by) override;
  Enrolments& enrolments() override { return enrolments_; }
  HostAsks& host_asks() override { return host_asks_; }
  Heartbeats& heartbeats() override { return heartbeats_; }
  Boots& boots() override { return boots_; }
  People& people() override { return people_; }
  Push& push() override { return push_; }
  Totps& totps() override { return totps_; }
  boost::asio::awaitable<Result<>> check() override;
  void stop() override;

 private:
  boost::asio::awaitable<Result<Request>> decide_by_person(RequestId id, Event event, std::string by);
  Result<> settle(const Request& request, Decisions& decisions);
  Result<> settle_all(Decisions& decisions);
  Result<> remember_asks(const std::vector<Request>& open);
  void tell_damaged(const std::string& id) const;
  Result<std::string> damage_of(const RequestId& id);
  std::optional<Time> next_due();
  Command due(Time now);
  Result<> expire(const RequestId& id, Decisions& decisions);
  void write_rows(const std::vector<audit::Event>& rows);
  Result<> append(const std::vector<audit::Event>& rows);
  Command farewell();

  std::unique_ptr<Store> store_;
  std::unique_ptr<Vault> vault_;
  ServiceOptions options_;
  std::stop_source stop_;
  Errands errands_;
  Errands patient_errands_;
  std::shared_ptr<Ledger> ledger_;  ///< shared with clients that may still go away when this is gone
  Desk desk_;
  Releases releases_;
  Notices notices_;
  Asks asks_;
  PinDesk pins_;
  Refusals refusals_;
  LedgerEnrolments enrolments_;
  LedgerBoots boots_;
  LedgerHostAsks host_asks_;
  LedgerPeople people_;
  LedgerPush push_;
  LedgerTotps totps_;
  LedgerHeartbeats heartbeats_;
  Checkpoints checkpoints_;
  Time next_tidying_;
  /// When check() last proved that the store takes changes.
  std::atomic<std::chrono::steady_clock::time_point> proved_at_{std::chrono::steady_clock::time_point()};
  std::once_flag stopped_;
};

}  // namespace zkv::gateway
